/** @type {import('next').NextConfig} */
export default {
  serverExternalPackages: ['micromegas'], // loaded by Node, once, and not bundled into each part
}
