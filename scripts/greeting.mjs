/**
 * What `npm start` says when everything runs: where, what, and the lines that lead to a first login.
 * @param {object} facts
 * @param {import("./supervise.mjs").MainServerReady} facts.ready
 * @param {number} facts.mainServerPid
 * @param {number} facts.backendPid
 * @param {string} facts.engine version of the Docker Engine
 * @param {string} facts.image
 * @param {string} facts.dataDir
 * @param {string | undefined} facts.publicKey file of the person's SSH public key, where they have one
 */
export function greeting({ ready, mainServerPid, backendPid, engine, image, dataDir, publicKey }) {
  const url = ready.urls[0] ?? "";
  const [first, ...others] = ready.urls.map((each) => `${each}/api/docs`);
  return `
DockHost is running.

  API        ${[`${url}  (described at ${first ?? ""})`, ...others].join("\n             ")}
  Running    main server (process ${mainServerPid}), backend (process ${backendPid})
  Docker     Engine ${engine}, instances from ${image}
  Data       ${dataDir}

A first instance, from another terminal:

${commands(url, ready, publicKey)
  .map((line) => `  ${line}`)
  .join("\n")}

The answer names the login as ssh.command, for example: ssh -p 1024 root@127.0.0.1
Ctrl-C ends DockHost; instances keep running.
`;
}

/**
 * @param {string} url
 * @param {import("./supervise.mjs").MainServerReady} ready
 * @param {string | undefined} publicKey
 */
function commands(url, ready, publicKey) {
  const newKey = "~/.ssh/id_ed25519";
  const json = "-H 'content-type: application/json'";
  const account = { username: "ada", password: "choose-a-password", token: ready.firstAccountToken };
  const door = ready.signup === "closed" ? "signin" : "signup";
  return [
    ...(publicKey === undefined ? [`ssh-keygen -t ed25519 -N '' -f ${newKey}`] : []),
    `curl -c ~/.dockhost-session ${json} -d '${JSON.stringify(account)}' ${url}/api/auth/${door}`,
    `curl -b ~/.dockhost-session ${json} -d "{\\"sshPublicKey\\":\\"$(cat ${publicKey ?? `${newKey}.pub`})\\"}" ${url}/api/instances`,
  ];
}
