import { CreateForm } from "../parts/create-form.tsx";
import { Page, Panel } from "../parts/page.tsx";

export function NewInstancePage() {
  return (
    <Page title="New instance" above={{ to: "/instances", title: "Instances" }}>
      <Panel title="An Ubuntu of your own">
        <CreateForm />
      </Panel>
    </Page>
  );
}
