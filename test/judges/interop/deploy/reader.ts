// Reads the Kubernetes manifests and the Dockerfile of docs/deploy, by a Go program with the types of Kubernetes and BuildKit.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { outputOf } from "../../../support/program.js";
import { cache, install, once, root } from "../cache.js";

/** A container, as far as tests look at it. */
export interface Container {
  name: string;
  image: string;
  args?: string[];
  env?: { name: string; value: string }[];
  ports?: { name: string; containerPort: number }[];
  restartPolicy?: string;
  lifecycle?: { preStop?: { sleep?: { seconds: number }; exec?: { command: string[] } } };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  resources: { requests?: Record<string, string>; limits?: Record<string, string> };
  securityContext?: unknown;
}

export interface Probe {
  grpc?: { port: number };
  httpGet?: { path: string; port: number | string };
}

export interface PodSpec {
  serviceAccountName: string;
  terminationGracePeriodSeconds: number;
  initContainers?: Container[];
  containers: Container[];
  securityContext: unknown;
  topologySpreadConstraints: { labelSelector: { matchLabels: Labels } }[];
}

export type Labels = Record<string, string>;

interface Named {
  metadata: { name: string };
}

/** What stands in a rendered folder, by its kind. */
export interface Documents {
  Deployment: Named & {
    spec: { selector: { matchLabels: Labels }; template: { metadata: { labels: Labels }; spec: PodSpec } };
  };
  Service: Named & {
    spec: { selector: Labels; ports: { port: number; targetPort: string; appProtocol: string }[] };
  };
  HorizontalPodAutoscaler: { spec: { scaleTargetRef: { kind: string; name: string } } };
  PodDisruptionBudget: { spec: { selector: { matchLabels: Labels } } };
  NetworkPolicy: { spec: { podSelector: { matchLabels: Labels }; ingress: { ports: { port: string }[] }[] } };
  ServiceAccount: Named;
  HTTPRoute: { spec: { rules: { backendRefs: { name: string; port: number }[] }[] } };
}

const sources = join(root, "test/judges/interop/deploy/manifests");
const folder = join(cache, "manifests");

/** Builds the program. Rejects with an Error that names what is missing or fails. */
export async function buildReader(): Promise<void> {
  const names = readdirSync(sources).sort();
  const stamp = names.map((name) => readFileSync(join(sources, name), "utf8")).join("\n");
  await once("manifests", stamp, () =>
    install("go", ["install", "."], {
      cwd: sources,
      env: { ...process.env, GOBIN: folder, GOFLAGS: "-mod=readonly", GOWORK: "off", GO111MODULE: "on" },
    }),
  );
}

/** A stage of a Dockerfile. The fields of a command are those of BuildKit. */
export interface Stage {
  name: string;
  base: string;
  commands: { name: string; command: unknown }[];
}

/** Rejects with an Error that says what is wrong. */
export function readDockerfile(path: string): Promise<Stage[]> {
  return read("dockerfile", path);
}

async function read<Found>(kind: "kubernetes" | "dockerfile", path: string): Promise<Found> {
  return JSON.parse(await outputOf(join(folder, "manifests"), [kind, path])) as Found;
}

/** The documents of a folder. Rejects with an Error that says which field is wrong. */
export class Manifests {
  readonly #documents: readonly { kind: string }[];

  private constructor(documents: readonly { kind: string }[]) {
    this.#documents = documents;
  }

  static async render(path: string): Promise<Manifests> {
    return new Manifests(await read("kubernetes", path));
  }

  get kinds(): string[] {
    return this.#documents.map(({ kind }) => kind);
  }

  all<Kind extends keyof Documents>(kind: Kind): Documents[Kind][] {
    return this.#documents.filter((each) => each.kind === kind) as unknown as Documents[Kind][];
  }

  one<Kind extends keyof Documents>(kind: Kind): Documents[Kind] {
    const [found, ...others] = this.all(kind);
    if (found === undefined || others.length > 0) throw new Error(`expected one ${kind}, found ${this.kinds}`);
    return found;
  }
}
