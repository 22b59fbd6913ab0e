// Who may call, by the settings of the command: the interceptors of `--jwt-…`, `--api-keys`, and of `auth` in the configuration
// file.
import type { ApiKeysInterceptor, ApiKeysOptions } from "../interceptors/api-keys.js";
import type { JwtOptions } from "../interceptors/jwt.js";
import type { MtlsOptions } from "../interceptors/mtls.js";
import type { ServerOptions } from "../options.js";
import { SettingError } from "../program/setting-error.js";
import { didYouMean } from "../suggest.js";
import type { Config } from "./config.js";
import type { Flag } from "./settings.js";

type Interceptors = NonNullable<ServerOptions["interceptors"]>;

/** `auth` of the configuration file. The interceptors check the options. */
interface AuthSection {
  readonly jwt?: JwtOptions;
  readonly apiKeys?: Partial<ApiKeysOptions>;
  readonly mtls?: MtlsOptions;
}

const sections = ["jwt", "apiKeys", "mtls"] as const;
const jwtFlags = ["--jwt-issuer", "--jwt-audience", "--jwt-jwks"] as const;

/** Maximum size of a file of keys: some ten thousand. */
const maxKeysBytes = 1024 * 1024;

/** Names of the settings that say who may call, as they were given. */
export function authSettings({ given, nameOf, auth }: Config): readonly string[] {
  const flags = [...jwtFlags, "--api-keys" as const].filter((flag) => given.has(flag)).map(nameOf);
  return auth === undefined || Object.keys(auth.value).length === 0 ? flags : [...flags, auth.name];
}

/** What settings put before the methods. */
export interface Guards {
  readonly interceptors: Interceptors;
  /** Undefined if the settings have no keys. */
  readonly renewKeys: RenewKeys | undefined;
}

/**
 * Reads the keys again, and checks them. Returns what replaces those in use. Keys that are gone as a whole stay: only a restart
 * lets in calls without one.
 *
 * @throws SettingError that names what is wrong
 */
export type RenewKeys = (config: Config) => Promise<() => void>;

/**
 * Returns the interceptors in their order. A call needs a certificate, where `mtls` is set, and a token or a key, where these
 * are.
 *
 * @throws SettingError that names what is wrong
 */
export async function openAuth(config: Config): Promise<Guards> {
  const section = readSection(config);
  const jwt = readJwt(config, section);
  const keys = await readApiKeys(config, section);
  if (jwt === undefined && keys === undefined && section.mtls === undefined) {
    return { interceptors: [], renewKeys: undefined };
  }
  if (section.mtls !== undefined && config.tls.clientCa === undefined) {
    throw new SettingError(`${placeOf(config, "mtls")}: expected --tls-client-ca to go with it`, 2);
  }
  // Loaded only here: most servers let everybody in, or have code that decides.
  const { anyOf, mtls } = await import("../interceptors/index.js");
  const { createJwt } = await import("../interceptors/jwt.js");
  const jwtPlace = section.jwt === undefined ? config.nameOf("--jwt-issuer") : placeOf(config, "jwt");
  const keysPlace = config.apiKeys === undefined ? placeOf(config, "apiKeys") : config.nameOf("--api-keys");
  const ofTokens = jwt && (await named(jwtPlace, () => createJwt("jwt", jwt)));
  const ofKeys = keys && (await openKeys(keysPlace, keys));
  const ofCertificates = section.mtls && (await named(placeOf(config, "mtls"), () => mtls(section.mtls)));
  const ways = [ofTokens, ofKeys?.interceptor].filter((way) => way !== undefined);
  return {
    interceptors: [ofCertificates, ways.length === 0 ? undefined : anyOf(...ways)].filter((each) => each !== undefined),
    renewKeys: ofKeys?.renew,
  };
}

async function openKeys(
  place: string,
  options: ApiKeysOptions,
): Promise<{ interceptor: ApiKeysInterceptor; renew: RenewKeys }> {
  const { apiKeys } = await import("../interceptors/api-keys.js");
  const interceptor = await named(place, () => apiKeys(options));
  const renew: RenewKeys = async (config) => {
    const renewed = await readApiKeys(config, readSection(config));
    if (renewed === undefined) return () => {};
    await named(place, () => apiKeys({ ...options, keys: renewed.keys }));
    return () => interceptor.replaceKeys(renewed.keys);
  };
  return { interceptor, renew };
}

function readSection(config: Config): AuthSection {
  const { auth } = config;
  if (auth === undefined) return {};
  const names = Object.keys(auth.value);
  const unknown = names.find((name) => !(sections as readonly string[]).includes(name));
  if (unknown === undefined) return auth.value;
  throw new SettingError(`${auth.name}: unknown key ${JSON.stringify(unknown)}${didYouMean(unknown, sections)}`, 2);
}

function placeOf({ auth }: Config, section: (typeof sections)[number]): string {
  return auth === undefined ? section : `${auth.name}.${section}`;
}

/** The flags belong together. */
function readJwt(config: Config, { jwt }: AuthSection): JwtOptions | undefined {
  const { issuer, audience, jwks } = config.jwt;
  const given = jwtFlags.find((flag) => config.given.has(flag));
  if (given === undefined) return jwt;
  if (jwt !== undefined) throw foundBoth(config, given, "jwt");
  if (issuer !== undefined && audience !== undefined && jwks !== undefined) return { issuer, audience, jwks };
  const missing = jwtFlags.find((flag) => !config.given.has(flag));
  throw new SettingError(`${config.nameOf(given)}: expected ${missing} to go with it`, 2);
}

/** The file has the keys, and the section the header and the rules, or all. */
async function readApiKeys(config: Config, { apiKeys }: AuthSection): Promise<ApiKeysOptions | undefined> {
  const path = config.apiKeys;
  if (path === undefined) return apiKeys as ApiKeysOptions | undefined;
  if (apiKeys?.keys !== undefined) throw foundBoth(config, "--api-keys", "apiKeys.keys");
  const { readYamlFile, toData } = await import("./yaml-file.js");
  const name = config.nameOf("--api-keys");
  const place = `${name}: ${path}`;
  const keys = toData(readYamlFile({ name, path, place, maxBytes: maxKeysBytes }), place) as ApiKeysOptions["keys"];
  return { ...apiKeys, keys };
}

function foundBoth({ nameOf, auth }: Config, flag: Flag, key: string): SettingError {
  return new SettingError(`${nameOf(flag)}: expected either it or ${auth?.name}.${key}, found both`, 2);
}

/** Adds the place of a setting to an error. */
async function named<Result>(place: string, open: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    throw new SettingError(`${place}: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}
