// What we claim to support: the suite makes its cases from it. Message Features in config.proto of
// connectrpc.com/conformance v1.0.5; the suite reads it as YAML, and JSON is YAML.

const protocols = {
  connect: "PROTOCOL_CONNECT",
  grpc: "PROTOCOL_GRPC",
  "grpc-web": "PROTOCOL_GRPC_WEB",
};

/** The names of the protocols, as options and documentation spell them. */
export const protocolNames = Object.keys(protocols);

/** What a proxy calls its upstreams with. The cases are those of such a client, whatever protocol calls the proxy. */
export const proxyClientFeatures = {
  versions: ["HTTP_VERSION_2"],
  protocols: ["PROTOCOL_GRPC"],
  codecs: ["CODEC_PROTO"],
  compressions: ["COMPRESSION_IDENTITY"],
  supportsH2c: true,
  supportsTls: false,
  supportsTrailers: true,
};

/** @param {string[]} names of protocols, a subset of protocolNames */
export function claimedFeatures(names) {
  return {
    versions: ["HTTP_VERSION_1", "HTTP_VERSION_2"],
    protocols: names.map((name) => protocols[/** @type {keyof typeof protocols} */ (name)]),
    codecs: ["CODEC_PROTO", "CODEC_JSON"],
    compressions: ["COMPRESSION_IDENTITY", "COMPRESSION_GZIP", "COMPRESSION_BR"],
    supportsH2c: true,
    supportsTls: true,
    supportsTlsClientCerts: true,
    supportsTrailers: true,
    supportsConnectGet: true,
    supportsMessageReceiveLimit: true,
    // Over HTTP/1.1 a stream in both directions could only be half-duplex, which a method cannot ask for: it would hang as
    // soon as a handler responds before the client has finished. Connect's servers respond with 505 instead.
    supportsHalfDuplexBidiOverHttp1: false,
  };
}
