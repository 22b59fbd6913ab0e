// An interceptor that checks requests by the rules of protovalidate in their descriptors: https://protovalidate.com
import type { DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest } from "@connectrpc/connect";
import type { MethodInterceptor } from "../call/method-interceptor.js";
import { loadPackage } from "../load-package.js";
import { checkNames } from "./check-names.js";
import { type MethodPatterns, selectMethods } from "./method-rules.js";
import { RuleFinder, typesIn } from "./validation/rule-finder.js";
import { listSamples } from "./validation/samples.js";
import { Validators } from "./validation/validators.js";
import { toBadRequest } from "./validation/violations.js";

/** Options of `validation`. */
export interface ValidationOptions {
  /** The methods whose requests are checked: `package.Service/Method`, `package.Service/*`, `*`, or a list. Default: all. */
  readonly methods?: MethodPatterns | undefined;
}

/**
 * Returns an interceptor that checks every request message by the `buf.validate` rules of its type. A message that breaks some
 * ends the call with `invalid_argument` and a google.rpc.BadRequest. In a stream, the handler has got the messages before it.
 * Methods without rules are left alone. A rule that does not compile stops the start of the server. One that fails later ends
 * calls with `internal`, and is the `cause` of their error. Needs the package `@bufbuild/protovalidate`.
 *
 * @throws TypeError that names a wrong option; Error if the package is missing
 */
export function validation(options: ValidationOptions = {}): Promise<MethodInterceptor> {
  return createValidation("validation", options);
}

/** @param setting that errors begin with: `validation`, `--validate` */
export async function createValidation(setting: string, options: ValidationOptions): Promise<MethodInterceptor> {
  checkNames(`${setting}: `, options, ["methods"]);
  const isSelected = selectMethods(`${setting}: methods`, options.methods ?? "*");
  const load = () =>
    Promise.all([import("@bufbuild/protovalidate"), import("@bufbuild/protovalidate/gen/buf/validate/validate_pb.js")]);
  const [library, extensions] = await loadPackage(setting, "@bufbuild/protovalidate", load);
  const finder = new RuleFinder(extensions);
  const validators = new Validators(library);
  const check = (type: DescMessage, message: Message) => {
    const violations = validators.validate(type, message);
    if (violations !== undefined) throw toBadRequest(violations);
  };
  const interceptor: Interceptor = (next) => async (request) => {
    if (request.stream) return next({ ...request, message: checkEach(request, check) });
    check(request.method.input, request.message);
    return next(request);
  };
  const prepared = new WeakSet<DescMessage>();
  return Object.assign(interceptor, {
    appliesTo: (method: DescMethod) => isSelected(method) && finder.hasRules(method.input),
    prepare({ input }: DescMethod) {
      for (const type of typesIn(input)) {
        if (prepared.has(type)) continue;
        for (const sample of listSamples(type)) validators.checkRules(input.file, type, sample);
        prepared.add(type);
      }
    },
  });
}

async function* checkEach(
  { message: messages, method }: StreamRequest,
  check: (type: DescMessage, message: Message) => void,
): AsyncGenerator<Message> {
  for await (const message of messages) {
    check(method.input, message);
    yield message;
  }
}
