import type { Instance } from "@dockhost/protocol/rest";
import { useBackendNames } from "../parts/backend-names.ts";
import { CopyBlock } from "../parts/copy.tsx";
import { CreationProgress } from "../parts/creation-progress.tsx";
import { Facts } from "../parts/facts.tsx";
import { Empty, Panel } from "../parts/page.tsx";
import { useShownInstance } from "../parts/shown-instance.ts";
import { aliasOf, configOf } from "../parts/ssh-config.ts";
import { Time } from "../parts/time.tsx";

type Ssh = NonNullable<Instance["ssh"]>;

/** Everything that a login needs, to be copied. */
export function InstanceConnect() {
  const instance = useShownInstance();
  const { state, ssh, backendId } = instance;
  const name = useBackendNames()(backendId);
  if (state === "creating") return <CreationProgress backendId={backendId} />;
  if (!ssh) return <Empty title="It cannot be logged in to." />;
  return (
    <>
      <Panel title="Log in">
        <CopyBlock text={ssh.command} label="SSH command" />
        <p className="text-sm text-muted">With the private key that belongs to the public one that you gave.</p>
      </Panel>
      <FirstConnection ssh={ssh} />
      <Panel title="A name for it">
        <p className="text-sm text-muted">
          In <code className="font-mono">~/.ssh/config</code>, and{" "}
          <code className="font-mono">ssh {aliasOf(name)}</code> is enough; editors and file managers that speak SSH
          know it by that name too.
        </p>
        <CopyBlock text={configOf(name, ssh)} label="SSH configuration" />
      </Panel>
      <Panel title="About it">
        <Facts of={factsOf(instance, ssh, name)} />
      </Panel>
    </>
  );
}

/** So that nobody has to believe what answers the first time. */
function FirstConnection({ ssh: { knownHosts, hostKeyFingerprint } }: { ssh: Ssh }) {
  if (knownHosts === null && hostKeyFingerprint === null) return null;
  return (
    <Panel title="Know that it is yours">
      {knownHosts !== null && (
        <>
          <p className="text-sm text-muted">
            With this line in <code className="font-mono">~/.ssh/known_hosts</code> the first login asks nothing, and
            another machine in its place is found out.
          </p>
          <CopyBlock text={knownHosts} label="Known hosts line" />
        </>
      )}
      {hostKeyFingerprint !== null && (
        <Facts of={[["Host key", <span className="font-mono break-all">{hostKeyFingerprint}</span>]]} />
      )}
    </Panel>
  );
}

function factsOf({ ports, image, createdAt, containerId }: Instance, { host }: Ssh, backend: string) {
  const url = (scheme: string, port: number) => (
    <a href={`${scheme}://${host}:${port}`} rel="noreferrer" target="_blank" className="underline underline-offset-4">
      {host}:{port}
    </a>
  );
  return [
    ["Port 80", ports && url("http", ports.http)],
    ["Port 443", ports && url("https", ports.https)],
    ["Backend", backend],
    ["Image", image],
    ["Container", containerId !== null && <span className="font-mono">{containerId.slice(0, 12)}</span>],
    ["Made", <Time key="made" at={createdAt} />],
  ] as const;
}
