// Names for operations and tags: short, and each once.
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { OperationKind } from "./options.js";

const kindNames: Readonly<Record<OperationKind, string>> = { rest: "REST", connect: "Connect" };

/** The names of one document. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #isShared: (name: string) => boolean;

  /** @param services the services whose names must differ */
  constructor(services: readonly DescService[]) {
    this.#isShared = (name) => services.filter((service) => service.name === name).length > 1;
  }

  /** `Greeter (REST)`; with the package, if another service has the name. @param own the name of its option, for REST */
  tag(service: DescService, kind: OperationKind, own?: string): string {
    if (own !== undefined && kind === "rest") return own;
    return `${this.#isShared(service.name) ? service.typeName : service.name} (${kindNames[kind]})`;
  }

  /**
   * `Greeter_SayHello`, then `Greeter_SayHello_2`.
   *
   * @param suffix what comes behind the method, `_Connect`
   * @param own the id that the method's option gives
   */
  operation({ parent, name }: DescMethod, suffix = "", own?: string): string {
    const service = this.#isShared(parent.name) ? parent.typeName.replaceAll(".", "_") : parent.name;
    const first = `${own ?? `${service}_${name}`}${suffix}`;
    let unique = first;
    for (let count = 2; this.#taken.has(unique); count++) unique = `${first}_${count}`;
    this.#taken.add(unique);
    return unique;
  }
}
