package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// recorder is a Terraform that writes its arguments to the file calls, and its environment to the
// file env, in the checkout. Every workspace exists, except the one named new.
const recorder = `#!/bin/sh
echo "$@" >>"$CALLS"
env >"$CALLS.env"
ls >"$CALLS.files"
case "$*" in "workspace select new") echo no such workspace >&2; exit 1;; esac
`

func (w *world) record() []string {
	w.write("bin/recorder", recorder)
	w.edit("atmos.yaml", "base_path: components/terraform", "base_path: components/terraform\n    command: "+filepath.Join(w.dir, "bin", "recorder"))
	return []string{"CALLS=" + filepath.Join(w.dir, "calls")}
}

func TestTerraformIsCalledAsAtmosCallsIt(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		const (
			initialized = "init -reconfigure\n"
			selected    = "workspace select acme-ue2-dev-service-api\n"
			varfile     = "-var-file acme-ue2-dev-api.terraform.tfvars.json"
		)
		for _, test := range []struct{ command, want string }{
			{"plan service/api -s acme-ue2-dev", initialized + selected + "plan " + varfile + " -out acme-ue2-dev-api.planfile\n"},
			{"plan service/api --stack=acme-ue2-dev -- -out=a -no-color", initialized + selected + "plan " + varfile + " -out=a -no-color\n"},
			{"plan service/api -s acme-ue2-dev --skip-init -- -out a", selected + "plan " + varfile + " -out a\n"},
			{"deploy service/api -s acme-ue2-dev -- -no-color", initialized + selected + "apply " + varfile + " -no-color -auto-approve\n"},
			{"deploy service/api -s acme-ue2-dev --planfile a -- -no-color", initialized + selected + "apply -no-color a\n"},
			{"apply service/api -s acme-ue2-dev -- -auto-approve", initialized + selected + "apply " + varfile + " -auto-approve\n"},
			{"apply service/api -s acme-ue2-dev --planfile=a", initialized + selected + "apply a\n"},
			{"output service/api -s acme-ue2-dev --skip-init -- -json", selected + "output -json\n"},
			{"init service/api -s acme-ue2-dev -- -upgrade", "init -reconfigure -upgrade\n"},
			{"workspace service/api -s acme-ue2-dev", initialized + selected},
			{"output http -s acme-ue2-dev", initialized + "output\n"},
			{"output new -s acme-ue2-dev", initialized + "workspace select new\nworkspace new new\noutput\n"},
		} {
			t.Run(test.command, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, version)
				w.edit("stacks/orgs/acme/dev.yaml", "    network:\n", `    new: { metadata: { component: network, terraform_workspace: new } }
    http: { metadata: { component: network }, backend_type: http, backend: { http: { address: "http://localhost" } } }
    network:
`)
				calls := w.record()
				r := w.atmos(calls, append([]string{"terraform"}, strings.Fields(test.command)...)...)
				if r.code != 0 || r.stderr != "" {
					t.Fatalf("code %d:\n%s", r.code, r.stderr)
				}
				if diff := cmp.Diff(test.want, w.read("calls")); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
			})
		}
	})
}

func TestGeneratedFilesComeAndGo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		const (
			dir     = "components/terraform/service/"
			varfile = dir + "acme-ue2-dev-api.terraform.tfvars.json"
		)
		w := newWorld(t, version)
		calls := w.record()
		run := func(args ...string) {
			t.Helper()
			if r := w.atmos(calls, append([]string{"terraform"}, args...)...); r.code != 0 {
				t.Fatalf("atmos terraform %v: code %d:\n%s", args, r.code, r.stderr)
			}
		}

		run("plan", "service/api", "-s", dev)
		want := `{
  "environment": "ue2",
  "image": "registry.example/app:1.0",
  "replicas": 2,
  "stage": "dev",
  "tenant": "acme"
}
`
		if diff := cmp.Diff(want, w.read(varfile)); diff != "" {
			t.Errorf("varfile (-want +got):\n%s", diff)
		}
		want = `{
  "terraform": {
    "backend": {
      "local": {
        "workspace_dir": "../../../state"
      }
    }
  }
}
`
		if diff := cmp.Diff(want, w.read(dir+"backend.tf.json")); diff != "" {
			t.Errorf("backend (-want +got):\n%s", diff)
		}

		w.write(dir+"acme-ue2-dev-api.planfile", "")
		run("deploy", "service/api", "-s", dev)
		for _, file := range []string{varfile, dir + "acme-ue2-dev-api.planfile"} {
			if w.exists(file) {
				t.Errorf("deploy leaves %s", file)
			}
		}
		w.write(dir+"acme-ue2-dev-api.planfile", "")
		run("deploy", "service/api", "-s", dev, "--planfile", "a")
		if strings.Contains(w.read("calls.files"), "tfvars.json") {
			t.Error("deploy --planfile writes a varfile")
		}
		if !w.exists(dir + "acme-ue2-dev-api.planfile") {
			t.Error("deploy --planfile removes a planfile that is not its own")
		}
	})
}

func TestEnvironmentReachesTerraform(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, version)
		w.edit("stacks/catalog/network.yaml", "vars:", "env: { ZONE: stack }\n      vars:")
		w.write("atmos.yaml", w.read("atmos.yaml")+"auth: { identities: { deployer: { kind: mock } } }\n")
		environ := append(w.record(), "ZONE=job", "TF_DATA_DIR=data", "TF_VAR_a=b",
			"ATMOS_CLI_CONFIG_PATH="+w.dir, "ATMOS_BASE_PATH="+w.dir)
		w.write("components/terraform/network/data/environment", "another")
		w.write("elsewhere/file", "")
		elsewhere := &world{t: t, dir: filepath.Join(w.dir, "elsewhere"), version: version}

		r := elsewhere.atmos(environ, "terraform", "plan", "network", "-s", dev, "--identity", "deployer")
		if r.code != 0 || !strings.Contains(r.stderr, "TF_VAR_a") {
			t.Fatalf("code %d:\n%s", r.code, r.stderr)
		}
		env := strings.Split(w.read("calls.env"), "\n")
		for _, want := range []string{"ZONE=stack", "TF_DATA_DIR=data", "TF_VAR_a=b", "TF_IN_AUTOMATION=true",
			"ATMOS_CLI_CONFIG_PATH=" + w.dir, "ATMOS_BASE_PATH=" + w.dir, "AWS_PROFILE=deployer"} {
			if !slices.Contains(env, want) {
				t.Errorf("%s is not in Terraform's environment", want)
			}
		}
		if w.exists("components/terraform/network/data/environment") {
			t.Error("the workspace that was selected before is not forgotten")
		}
		if r := elsewhere.atmos(environ, "terraform", "plan", "network", "-s", dev, "--identity", "nobody"); r.code != 1 {
			t.Errorf("an unknown identity: code %d", r.code)
		}
	})
}

func TestWhatIsNotRunSaysWhy(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		metadata := func(is string) func(*world) {
			return func(w *world) {
				w.edit("stacks/catalog/network.yaml", "network:\n", "network:\n      metadata: { "+is+" }\n")
			}
		}
		nothing := func(*world) {}
		for _, test := range []struct {
			name    string
			edit    func(w *world)
			command string
			code    int
			stderr  string
			runs    bool
		}{
			{"plan of an abstract component", metadata("type: abstract"), "plan network -s " + dev, 1, "marked as abstract (metadata.type: abstract)", false},
			{"plan of a disabled component", metadata("enabled: false"), "plan network -s " + dev, 0, "", false},
			{"plan of a locked component", metadata("locked: true"), "plan network -s " + dev, 0, "", true},
			{"deploy of a locked component", metadata("locked: true"), "deploy network -s " + dev, 1, "(metadata.locked: true)", false},
			{"no module", metadata("component: nowhere"), "plan network -s " + dev, 1, "'network' points to the Terraform component 'nowhere', but it does not exist in 'components/terraform'", false},
			{"no such component", nothing, "plan nope -s " + dev, 1, "Could not find the component nope in the stack " + dev, false},
			{"no stack", nothing, "plan network", 1, "stack is required", false},
			{"Terraform's flag before --", nothing, "plan network -s " + dev + " -input=false", 1, "", false},
			{"an unknown base", metadata("inherits: [nobody]"), "plan network -s " + dev, 1, "inherits from 'nobody'", false},
			{"an unknown function", func(w *world) { w.edit("stacks/catalog/network.yaml", "vars: {", "vars: { zone: !nope x,") }, "plan network -s " + dev, 1, "!nope", false},
			{"invalid YAML", metadata("["), "plan network -s " + dev, 1, "catalog/network", false},
		} {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, version)
				test.edit(w)
				calls := w.record()
				r := w.atmos(calls, append([]string{"terraform"}, strings.Fields(test.command)...)...)
				if r.code != test.code || !strings.Contains(strings.Join(strings.Fields(r.stderr), " "), test.stderr) || (test.code == 0) != (r.stderr == "") {
					t.Errorf("code %d:\n%s", r.code, r.stderr)
				}
				if w.exists("calls") != test.runs {
					t.Errorf("Terraform runs: %v", w.exists("calls"))
				}
			})
		}
	})
}

func TestAMissingProgramIsAnError(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, version string) {
		w := newWorld(t, version)
		w.edit("stacks/catalog/network.yaml", "vars:", "command: no-such-tofu\n      vars:")
		r := w.atmos(nil, "terraform", "plan", "network", "-s", dev)
		if r.code == 0 || !strings.Contains(r.stderr, "no-such-tofu") {
			t.Errorf("code %d:\n%s", r.code, r.stderr)
		}
	})
}
