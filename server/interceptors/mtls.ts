// An interceptor that lets in calls by the alternative names of the client's certificate.
import type { PeerCertificate } from "node:tls";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { peerCertificate } from "../call/context-values.js";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { type AlternativeNames, readAlternativeNames } from "./alternative-names.js";
import { type ClientNames, compileNames, type FindName } from "./certificate-names.js";
import { checkNames } from "./check-names.js";
import { checkPublic, type MethodRule, MethodRules } from "./method-rules.js";
import { principal } from "./principal.js";
import { credentialsMissing, permissionDenied } from "./refusal.js";

/** Options of `mtls`. */
export interface MtlsOptions {
  /** What some methods need. Methods without a rule need any certificate that the server has verified. */
  readonly rules?: readonly MtlsRule[] | undefined;
}

/** The clients that may call some methods. With several kinds of names a certificate has to have a name of one kind. */
export interface MtlsRule extends MethodRule, ClientNames {
  /** Whether the methods need no certificate. */
  readonly public?: boolean | undefined;
}

/**
 * Lets in calls of clients whose certificate has an allowed name, and sets `principal`, with that name. It needs the option
 * `tls.ca`, by which the server asks for certificates and verifies them. Calls without a certificate end with
 * `unauthenticated`, and those with another one with `permission_denied`.
 *
 * @throws TypeError that names a wrong rule
 */
export function mtls(options: MtlsOptions = {}): MethodInterceptor {
  checkNames("mtls: ", options, ["rules"]);
  const { rules: list = [] } = options;
  const rules = new MethodRules("mtls: rules", list);
  const finders = new Map(list.map((rule, index) => [rule, readRule(`mtls: rules[${index}]`, rule)]));
  const findAny = compileNames("mtls", {});
  const finderOf = (method: DescMethod) => {
    const rule = rules.find(method);
    return (rule && finders.get(rule)) ?? findAny;
  };
  const namesOf = createReader();
  const interceptor: Interceptor = (next) => async (request) => {
    const certificate = request.contextValues.get(peerCertificate);
    // Node returns an empty object for a connection without a certificate.
    if (certificate?.raw === undefined) throw credentialsMissing("client certificate missing");
    const name = finderOf(request.method)(namesOf(certificate));
    if (name === undefined) throw permissionDenied("the client's certificate does not allow to call this method");
    request.contextValues.set(principal, { kind: "certificate", name });
    return next(request);
  };
  const appliesTo = (method: DescMethod) => rules.find(method)?.public !== true;
  return Object.assign(interceptor, { appliesTo, listUnmatched: rules.listUnmatched });
}

/** Reads the names of a certificate once: calls of one connection share it. */
function createReader(): (certificate: PeerCertificate) => AlternativeNames {
  const known = new WeakMap<PeerCertificate, AlternativeNames>();
  return (certificate) => {
    const names = known.get(certificate) ?? readAlternativeNames(certificate.raw);
    known.set(certificate, names);
    return names;
  };
}

/** Returns what finds the allowed name of a rule. @throws TypeError that names a wrong option */
function readRule(place: string, rule: MtlsRule): FindName {
  checkNames(`${place}: `, rule, ["methods", "public", "uris", "dns", "emails"]);
  const { methods: _, public: isPublic = false, ...names } = rule;
  checkPublic(place, isPublic);
  if (isPublic && Object.values(names).some((list) => list !== undefined)) {
    throw new TypeError(`${place}: expected either public or names, found both`);
  }
  return compileNames(place, names);
}
