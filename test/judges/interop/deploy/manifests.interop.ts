// The Kubernetes manifests of docs/deploy have only fields that Kubernetes knows, and fit each other and the command.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parseCommandLine } from "../../../../server/command/command-line.js";
import { type Config, readConfig } from "../../../../server/command/config.js";
import { environmentName, settings } from "../../../../server/command/settings.js";
import { root } from "../cache.js";
import { buildReader, type Container, Manifests, type PodSpec } from "./reader.js";

const kubernetes = join(root, "docs/deploy/kubernetes");

/** Seconds that the errors of calls get that a drain has cancelled. */
const lastErrorsSeconds = 1;

beforeAll(buildReader, 10 * 60_000);

const podOf = (manifests: Manifests): PodSpec => manifests.one("Deployment").spec.template.spec;

const containersOf = ({ initContainers = [], containers }: PodSpec) => [...initContainers, ...containers];

/** Containers that run the command. */
const isManywire = ({ env = [] }: Container) => env.some(({ name }) => name.startsWith("MANYWIRE_"));

/** What the command makes of the arguments and the environment of a container. */
function configOf({ args = [], env = [] }: Container): Config {
  const line = parseCommandLine(args);
  if (line.kind !== "serve" && line.kind !== "proxy") throw new Error(`expected serve or proxy, found ${args}`);
  return readConfig(line.flags, Object.fromEntries(env.map(({ name, value }) => [name, value])));
}

function drainSeconds(container: Container): number {
  const { drainDelayMs = 0, drainTimeoutMs = 0 } = configOf(container).options;
  return (drainDelayMs + drainTimeoutMs) / 1000 + lastErrorsSeconds;
}

const sleepSeconds = ({ lifecycle }: Container) => lifecycle?.preStop?.sleep?.seconds ?? 0;

describe.each([
  ["base", []],
  ["gateway", ["HTTPRoute"]],
  ["sidecar", []],
])("docs/deploy/kubernetes/%s", (name, more) => {
  let manifests: Manifests;
  let pod: PodSpec;

  beforeAll(async () => {
    manifests = await Manifests.render(join(kubernetes, name));
    pod = podOf(manifests);
  });

  it("has every document, with no field that its type does not have", () => {
    const base = ["Deployment", "HorizontalPodAutoscaler", "NetworkPolicy", "PodDisruptionBudget"];
    const expected = [...base, "Service", "Service", "ServiceAccount", ...more];
    expect(manifests.kinds.toSorted()).toEqual(expected.toSorted());
  });

  it("selects its pods wherever it selects pods", () => {
    const { selector, template } = manifests.one("Deployment").spec;
    const found = [
      selector.matchLabels,
      ...template.spec.topologySpreadConstraints.map(({ labelSelector }) => labelSelector.matchLabels),
      ...manifests.all("Service").map(({ spec }) => spec.selector),
      manifests.one("PodDisruptionBudget").spec.selector.matchLabels,
      manifests.one("NetworkPolicy").spec.podSelector.matchLabels,
    ];
    expect(found).toEqual(Array(7).fill(template.metadata.labels));
  });

  it("names documents that exist", () => {
    const { metadata } = manifests.one("Deployment");
    const { scaleTargetRef } = manifests.one("HorizontalPodAutoscaler").spec;
    expect(scaleTargetRef).toMatchObject({ kind: "Deployment", name: metadata.name });
    expect(pod.serviceAccountName).toBe(manifests.one("ServiceAccount").metadata.name);
    const services = manifests.all("Service").map((service) => [service.metadata.name, service.spec.ports[0]?.port]);
    const backends = manifests.all("HTTPRoute").flatMap(({ spec }) => spec.rules.flatMap((rule) => rule.backendRefs));
    expect(backends.length).toBe(more.length);
    expect(services).toEqual(expect.arrayContaining(backends.map(({ name, port }) => [name, port])));
  });

  it("leads to the port that the command listens on", () => {
    const [server, ...others] = containersOf(pod).filter(isManywire);
    if (server === undefined || others.length > 0) throw new Error("expected one container of manywire");
    const { port = 0, host } = configOf(server).options;
    expect(host).toBe("::");
    expect(server.ports).toEqual([expect.objectContaining({ name: "api", containerPort: port })]);
    const probes = [server.startupProbe, server.readinessProbe, server.livenessProbe];
    expect(probes.map((probe) => probe?.grpc?.port ?? probe?.httpGet?.port)).toEqual([
      name === "sidecar" ? "api" : port,
      port,
      "api",
    ]);
    const ports = manifests.all("Service").flatMap(({ spec }) => spec.ports);
    expect(ports.map(({ targetPort, appProtocol }) => ({ targetPort, appProtocol }))).toEqual(
      Array(2).fill({ targetPort: "api", appProtocol: "kubernetes.io/h2c" }),
    );
    const allowed = manifests.one("NetworkPolicy").spec.ingress.flatMap((rule) => rule.ports.map(({ port }) => port));
    expect(allowed).toEqual(["api"]);
  });

  it("does not kill a server that says NOT_SERVING", () => {
    const probes = containersOf(pod).flatMap(({ livenessProbe }) => livenessProbe ?? []);
    expect(probes.map(({ httpGet }) => httpGet?.path)).toEqual(["/healthz"]);
  });

  it("sets what the command has", () => {
    const known = new Set(settings.map(({ flag }) => environmentName(flag)));
    const names = containersOf(pod).flatMap(({ env = [] }) => env.map(({ name }) => name));
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((variable) => !known.has(variable))).toEqual([]);
    expect(configOf(containersOf(pod).filter(isManywire)[0] as Container).upstreams.length).toBe(
      name === "sidecar" ? 1 : 0,
    );
  });

  it("gives a drain the time that it may take", () => {
    const grace = pod.terminationGracePeriodSeconds;
    for (const container of containersOf(pod)) {
      const ownSeconds = isManywire(container) ? drainSeconds(container) : 1;
      expect(sleepSeconds(container) + ownSeconds, container.name).toBeLessThan(grace);
    }
    // A sidecar drains while the server that it forwards to still runs.
    const sidecar = pod.initContainers?.[0];
    if (sidecar === undefined) return;
    expect(sidecar.lifecycle?.preStop?.exec?.command).toEqual(["node", "-e", "process.kill(1, 'SIGTERM')"]);
    const least = Math.min(...pod.containers.map(sleepSeconds));
    expect(least).toBeGreaterThanOrEqual(drainSeconds(sidecar));
  });

  it("runs without rights", () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    for (const { securityContext, resources } of containersOf(pod)) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      // The autoscaler counts in parts of the request.
      expect(Object.keys(resources.requests ?? {})).toEqual(["cpu", "memory"]);
      expect(Object.keys(resources.limits ?? {})).toEqual(["memory"]);
    }
  });
});

it("a sidecar that always restarts is one that Kubernetes takes for a sidecar", async () => {
  const { initContainers = [] } = podOf(await Manifests.render(join(kubernetes, "sidecar")));
  expect(initContainers.map(({ restartPolicy }) => restartPolicy)).toEqual(["Always"]);
});

it("a field that its type does not have is an error", async () => {
  const folder = await mkdtemp(join(tmpdir(), "manywire-manifests-"));
  try {
    await cp(join(kubernetes, "base"), folder, { recursive: true });
    const path = join(folder, "deployment.yaml");
    await writeFile(path, (await readFile(path, "utf8")).replace("livenessProbe", "livelinessProbe"));
    await expect(Manifests.render(folder)).rejects.toThrow(
      'apps/v1 Deployment greeter: error unmarshaling JSON: while decoding JSON: json: unknown field "livelinessProbe"',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
