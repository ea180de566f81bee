/** undici's types are those of its main module. */
declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici'
}
