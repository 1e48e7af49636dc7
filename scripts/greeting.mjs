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
 * @param {boolean} facts.hasCurl
 */
export function greeting({ ready, mainServerPid, backendPid, engine, image, dataDir, publicKey, hasCurl }) {
  const url = ready.urls[0] ?? "";
  return `
DockHost is running. ${invitation(ready)}:

  ${pageToOpen(ready)}

  API        ${ready.urls.join(" and ")}
             described at ${url}/api/docs
  Running    main server (process ${mainServerPid}), backend (process ${backendPid})
  Docker     Engine ${engine}, instances from ${image}
  Data       ${dataDir}

A first instance without the page, from another terminal:

${commands(ready, publicKey, hasCurl)
  .map((line) => `  ${line}`)
  .join("\n")}

The answer names the login as ssh.command, for example: ssh -p 1024 root@127.0.0.1
Ctrl-C ends DockHost; instances keep running.
`;
}

/** @param {import("./supervise.mjs").MainServerReady} ready */
function invitation({ signup }) {
  if (signup === "token") return "Open its page and make the first account (this address works once)";
  return signup === "open" ? "Open its page and make an account" : "Open its page and sign in";
}

/** @param {import("./supervise.mjs").MainServerReady} ready */
function pageToOpen({ urls, firstAccountToken }) {
  const url = urls[0] ?? "";
  return firstAccountToken === undefined ? url : `${url}/sign-up?token=${encodeURIComponent(firstAccountToken)}`;
}

/**
 * @param {import("./supervise.mjs").MainServerReady} ready
 * @param {string | undefined} publicKey
 * @param {boolean} hasCurl
 */
function commands(ready, publicKey, hasCurl) {
  const url = ready.urls[0] ?? "";
  const newKey = "~/.ssh/id_ed25519";
  const json = "-H 'content-type: application/json'";
  const account = { username: "ada", password: "choose-a-password", token: ready.firstAccountToken };
  const door = ready.signup === "closed" ? "signin" : "signup";
  return [
    ...(hasCurl ? [] : ["apt-get install curl"]),
    ...(publicKey === undefined ? [`ssh-keygen -t ed25519 -N '' -f ${newKey}`] : []),
    `curl -c ~/.dockhost-session ${json} -d '${JSON.stringify(account)}' ${url}/api/auth/${door}`,
    `curl -b ~/.dockhost-session ${json} -d "{\\"sshPublicKey\\":\\"$(cat ${publicKey ?? `${newKey}.pub`})\\"}" ${url}/api/instances`,
  ];
}
