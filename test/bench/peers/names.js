// The peers.

/** Name → what the tables and the picture call the peer, in the order of the tables. */
export const labels = {
  fast: "manywire",
  reference: "manywire, reference lane",
  "connect-node": "connectNodeAdapter",
  "grpc-js": "@grpc/grpc-js",
  "grpc-go": "grpc-go",
  "connect-go": "connect-go",
  "vanguard-go": "vanguard-go",
  "grpc-gateway": "grpc-gateway + grpc-go",
  "grpc-gateway-python": "grpc-gateway + grpcio",
  "proxy-python": "manywire proxy + grpcio",
  grpcwebproxy: "grpcwebproxy",
  tonic: "tonic",
  floor: "Node alone (floor)",
};

/** @typedef {keyof typeof labels} PeerName */

export const peerNames = /** @type {PeerName[]} */ (Object.keys(labels));
