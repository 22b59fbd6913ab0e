// An issuer of tokens: signs them, and serves its keys on loopback, or fails to, as a test says.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";

/** A key pair of the issuer. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  /** The public key. */
  readonly jwk: JWK;
}

/** How the endpoint of the keys behaves. */
export type Endpoint = "good" | "slow" | "hanging" | "garbage" | "huge" | "error" | "redirect" | "other JSON";

export interface TokenOptions {
  readonly key?: SigningKey;
  /** Header parameters in place of the usual ones; undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export const issuerName = "https://issuer.test/";
export const audience = "https://api.test";

export async function createSigningKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** Claims of a token that is valid for five minutes. */
export function validClaims(): JWTPayload {
  const nowSeconds = Math.floor(Date.now() / 1000);
  return { iss: issuerName, aud: audience, sub: "alice", iat: nowSeconds, exp: nowSeconds + 300 };
}

/** Serves keys at `url`. To be disposed. */
export class Issuer implements AsyncDisposable {
  keys: readonly SigningKey[];
  endpoint: Endpoint = "good";
  /** Number of requests. */
  requests = 0;
  readonly #server = createServer((_, response) => this.#respond(response));
  readonly #waiting = new Set<ServerResponse>();

  private constructor(keys: readonly SigningKey[]) {
    this.keys = keys;
  }

  static async start(...keys: SigningKey[]): Promise<Issuer> {
    const issuer = new Issuer(keys.length > 0 ? keys : [await createSigningKey("first")]);
    await issuer.listen();
    return issuer;
  }

  async listen(port = 0): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("expected an address");
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/keys`;
  }

  get key(): SigningKey {
    const [key] = this.keys;
    if (key === undefined) throw new Error("expected a key");
    return key;
  }

  /** Signs claims that are added to valid ones; undefined leaves one out. */
  async sign(claims: Record<string, unknown> = {}, { key = this.key, header }: TokenOptions = {}): Promise<string> {
    const all = withoutUndefined({ alg: key.alg, kid: key.kid, typ: "JWT", ...header });
    return new SignJWT(withoutUndefined({ ...validClaims(), ...claims }))
      .setProtectedHeader({ alg: key.alg, ...all })
      .sign(key.privateKey);
  }

  /** Stops to listen, and cuts connections. */
  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  /** Responds to requests that hang. */
  release(): void {
    for (const response of this.#waiting) this.#sendKeys(response);
    this.#waiting.clear();
  }

  #respond(response: ServerResponse): void {
    this.requests++;
    switch (this.endpoint) {
      case "good":
        this.#sendKeys(response);
        break;
      case "slow":
        setTimeout(() => this.#sendKeys(response), 100);
        break;
      case "hanging":
        this.#waiting.add(response);
        break;
      case "garbage":
        response.end("<html>not keys</html>");
        break;
      case "other JSON":
        response.end('{"keys":"none"}');
        break;
      case "huge":
        response.end(JSON.stringify({ keys: [], filler: "x".repeat(2 ** 20) }));
        break;
      case "error":
        response.writeHead(500).end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
        break;
      case "redirect":
        response.writeHead(302, { location: "/other" }).end();
        break;
    }
  }

  #sendKeys(response: ServerResponse): void {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));
  }
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
