/** Style sheets are bundled with whoever imports them. */
declare module '*.css'
