// esbuild imports a compressed file as a string: its bytes in Base64.
declare module '*.gz' {
  const base64: string;
  export default base64;
}
