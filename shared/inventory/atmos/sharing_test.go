package atmos_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// Targets share a folder only where Atmos writes the same there for them, and nothing else.
func TestTargetsShareAFolderWhereAtmosWritesTheSame(t *testing.T) {
	t.Parallel()
	dir := fakerunner.Atmos(t, "../../..")
	for name, c := range map[string]struct {
		manifest string
		shares   bool
	}{
		"as they are":                   {"vars: {}", true},
		"other variables":               {"vars: { replicas: 9 }", true},
		"env":                           {"env: { A: b }", true},
		"another backend":               {"backend: { local: { workspace_dir: elsewhere } }", false},
		"providers":                     {"providers: { aws: { region: us-east-1 } }", false},
		"hooks":                         {"hooks: { x: { events: [after-terraform-plan], command: store } }", false},
		"an output of another":          {"vars: { image: !terraform.output network vpc }", false},
		"a state of another":            {"vars: { image: !terraform.state network vpc }", true},
		"a program":                     {"vars: { image: !exec echo x }", false},
		"a variable of the environment": {"vars: { image: !env IMAGE }", true},
		"one in the backend":            {"backend: { local: { workspace_dir: !env DIR } }", false},
		"a template that calls out":     {`vars: { image: '{{ (atmos.Component "network" .stack).outputs.vpc }}' }`, false},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, version string) {
				t.Parallel()
				p := newProject(t, dir, version)
				other := p.target("service/worker", "acme-ue2-dev").Atmos.Sharing
				p.edit("stacks/orgs/acme/dev.yaml", "    network:\n", "    service/api:\n      "+c.manifest+"\n    network:\n")
				got := p.target("service/api", "acme-ue2-dev").Atmos.Sharing
				if shares := got.Key != "" && got.Key == other.Key; shares != c.shares {
					t.Errorf("%+v beside %+v", got, other)
				}
				if got.VarFile == other.VarFile {
					t.Errorf("one file of variables: %s", got.VarFile)
				}
			})
		})
	}
	// Sections that only newer versions have, or will have.
	onEach(t, func(t *testing.T, version string) {
		p := newProject(t, dir, version)
		cmd := exec.CommandContext(t.Context(), p.Path, "describe", "component", "service/api", "-s", "acme-ue2-dev", "--format", "json", "--query", ".")
		cmd.Dir, cmd.Env = p.Root, p.Env
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		out = bytes.ReplaceAll(out, []byte(p.Root), []byte("."))
		for more, shares := range map[string]bool{
			`{"generate": {"x.tf": ""}}`: false, `{"source": {"uri": "x"}}`: false, `{"provision": {"workdir": {"enabled": true}}}`: false,
			`{"tomorrow": {"a": 1}}`: false, `{"tomorrow": {}}`: true, `{"locals": {"a": 1}}`: true, `{"backend_type": "cloud"}`: false,
			`{"atmos_cli_config": {}}`: false,
		} {
			d := section{}
			for _, content := range [][]byte{out, []byte(more)} {
				if err := json.Unmarshal(content, &d); err != nil {
					t.Fatal(err)
				}
			}
			text, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := scripted(t, version, map[string]string{"component": string(text)}).Target(t.Context(), "service/api", "acme-ue2-dev")
			if err != nil {
				t.Fatal(err)
			}
			if (got.Atmos.Sharing.Key != "") != shares {
				t.Errorf("%s: %+v", more, got.Atmos.Sharing)
			}
		}
	})
}
