import { useState } from "react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { USERNAME, USERNAME_RULE } from "@dockhost/protocol/username-rule";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { PasswordField, UsernameField } from "../parts/account-fields.tsx";
import { Button } from "../parts/button.tsx";
import { Door } from "../parts/door.tsx";
import { TextField } from "../parts/field.tsx";
import { Failure } from "../parts/note.tsx";

export function SignUpPage() {
  const invitation = useSearch({ from: "/sign-up" }).token;
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [token, setToken] = useState(invitation ?? "");
  const client = useQueryClient();
  const navigate = useNavigate();
  const policy = useQuery(queries.signup()).data;
  const tokenNeeded = policy !== undefined && !policy.open;
  const signUp = useMutation({
    mutationFn: () => api.signUp({ username, password, token: token.trim() === "" ? undefined : token.trim() }),
    onSuccess: ({ user }) => {
      client.setQueryData(queries.me().queryKey, user);
      void client.invalidateQueries({ queryKey: queries.signup().queryKey });
      return navigate({ to: "/instances" });
    },
  });
  const nameProblem = username === "" || USERNAME.test(username) ? undefined : `A username ${USERNAME_RULE}.`;
  return (
    <Door
      title="Make an account"
      about={
        policy?.firstAccount === true
          ? "The first account runs this server: it invites people and manages its backends."
          : "A minute from here you are logged in to an Ubuntu of your own."
      }
    >
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (nameProblem === undefined) signUp.mutate();
        }}
      >
        <UsernameField value={username} onChange={setUsername} error={nameProblem} />
        <PasswordField label="Password" value={password} onChange={setPassword} isNew />
        {(tokenNeeded || invitation !== undefined) && (
          <TextField
            label={policy?.firstAccount === true ? "One-time token" : "Invitation"}
            value={token}
            autoComplete="off"
            spellCheck={false}
            required={tokenNeeded}
            hint={
              policy?.firstAccount === true
                ? "The main server printed it at its start."
                : "Who runs this server gives it to you."
            }
            onChange={(event) => setToken(event.target.value)}
          />
        )}
        <Failure error={signUp.error} />
        <Button type="submit" kind="primary" busy={signUp.isPending}>
          Make the account
        </Button>
      </form>
      <p className="text-sm text-muted">
        Have one already?{" "}
        <Link to="/sign-in" className="font-medium text-accent underline underline-offset-4">
          Sign in
        </Link>
      </p>
    </Door>
  );
}
