import { useState } from "react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { api } from "../api/http.ts";
import { queries } from "../api/queries.ts";
import { PasswordField, UsernameField } from "../parts/account-fields.tsx";
import { Button } from "../parts/button.tsx";
import { Door } from "../parts/door.tsx";
import { Failure } from "../parts/note.tsx";

export function SignInPage() {
  const { from } = useSearch({ from: "/sign-in" });
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const client = useQueryClient();
  const router = useRouter();
  const signup = useQuery(queries.signup()).data;
  const signIn = useMutation({
    mutationFn: api.signIn,
    onSuccess: ({ user }) => {
      client.setQueryData(queries.me().queryKey, user);
      router.history.push(ownAddress(from));
    },
  });
  return (
    <Door title="Sign in" about="An Ubuntu of your own, reached by plain SSH.">
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          signIn.mutate({ username, password });
        }}
      >
        <UsernameField value={username} onChange={setUsername} />
        <PasswordField label="Password" value={password} onChange={setPassword} />
        <Failure error={signIn.error} />
        <Button type="submit" kind="primary" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
      <p className="min-h-6 text-sm text-muted">
        {signup && (signup.open || signup.firstAccount) && (
          <>
            {signup.firstAccount ? "Nobody has an account yet. " : "No account yet? "}
            <Link to="/sign-up" className="font-medium text-accent underline underline-offset-4">
              Make one
            </Link>
          </>
        )}
        {signup &&
          !signup.open &&
          !signup.firstAccount &&
          "New accounts are made by invitation; ask who runs this server."}
      </p>
    </Door>
  );
}

/** Only an address of this very page is gone back to. */
const ownAddress = (from: string | undefined): string =>
  from !== undefined && /^\/(?![/\\])/.test(from) ? from : "/instances";
