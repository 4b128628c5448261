/**
 * First lines of all declarations of both packages. A compiler told to load no types by itself (the default since
 * TypeScript 6) still finds those that ours name.
 */
export const DECLARATION_BANNER = '/// <reference types="node" />\n/// <reference lib="esnext.disposable" />'
