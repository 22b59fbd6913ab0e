/** Lets JSON know the types of the files of services, as the services are called. */
import type { DescFile, Registry } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { preferTypes } from "../server/schema/file-types.js";
import type { JsonOptions } from "./rest-method.js";

/** Options of a transport that matter here. */
interface TypeOptions {
  interceptors?: Interceptor[];
  jsonOptions?: JsonOptions;
}

/**
 * Returns the options with an interceptor that learns, and with the registry that it fills.
 *
 * @param createTypes makes a registry of the types of files, to which more may be added
 */
export function learnTypes(
  { interceptors = [], jsonOptions }: TypeOptions,
  createTypes: (files: ReadonlySet<DescFile>) => Registry,
): Required<TypeOptions> {
  const files = new Set<DescFile>();
  const learn: Interceptor = (next) => (request) => {
    files.add(request.service.file);
    return next(request);
  };
  const registry = preferTypes(jsonOptions?.registry, createTypes(files));
  return { interceptors: [...interceptors, learn], jsonOptions: { ...jsonOptions, registry } };
}
