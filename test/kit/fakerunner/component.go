package fakerunner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// OneComponent makes, in dir, a runner whose workspace is a new repository with
// one component, "component" in stack "stack", its state in dir/state/terraform.tfstate and
// its plans in dir/store. The event is a workflow_dispatch, so that a plan can be
// applied without a pull request.
func OneComponent(ctx context.Context, dir, module string) (*Runner, error) {
	const backend = "terraform {\n  backend \"local\" { path = \"../../../state/terraform.tfstate\" }\n}\n"
	return oneComponent(ctx, dir, map[string]string{
		"workspace/components/component/main.tf": backend + module,
		"workspace/gitops.yaml":                  "artifact-storage: { url: ../store }\ncomponents: { component: {} }\nstacks: { stack: {} }\n",
	})
}

// OneAtmosComponent is [OneComponent] with Atmos, which is in the folder that [Atmos] returns.
// The stand-in plays the given version. The state is in dir/state/stack/terraform.tfstate.
func OneAtmosComponent(ctx context.Context, dir, module, atmos, version string) (*Runner, error) {
	r, err := oneComponent(ctx, dir, map[string]string{
		"workspace/components/component/main.tf": "variable \"stage\" {}\n" + module,
		"workspace/atmos.yaml": `base_path: "."
components: { terraform: { base_path: components, deploy_run_init: true, init_run_reconfigure: true, auto_generate_backend_file: true } }
stacks: { base_path: stacks, included_paths: ["*"], name_pattern: "{stage}" }
integrations: { github: { gitops: { artifact-storage: { url: ../store } } } }
`,
		"workspace/stacks/stack.yaml": `vars: { stage: stack }
terraform: { backend_type: local, backend: { local: { workspace_dir: ../../../state } } }
components: { terraform: { component: { settings: { github: { actions_enabled: true } } } } }
`,
	})
	if err == nil {
		r.Environ = append(r.Environ, AtmosVariable+"="+version, "PATH="+atmos+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	return r, err
}

func oneComponent(ctx context.Context, dir string, files map[string]string) (*Runner, error) {
	r := &Runner{
		Dir: dir, Repository: repository, Actor: "mona", RunID: 1,
		Environ: append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraformrc"), "CHECKPOINT_DISABLE=1"),
		Event:   "workflow_dispatch", Payload: []byte(`{"repository":{"default_branch":"main"}}`), Ref: "refs/heads/main",
	}
	files["terraformrc"] = ""
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all"},
		{"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=component"},
		{"rev-parse", "HEAD"},
	} {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = r.Workspace()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("git %s: %w\n%s", args[0], err, out)
		}
		r.SHA = strings.TrimSpace(string(out))
	}
	return r, nil
}

// ComponentInputs are the inputs that name OneComponent's component.
func ComponentInputs() map[string]string {
	return map[string]string{"component": "component", "stack": "stack"}
}

// Exec runs an action's binary as a step of a new workflow run and returns its log and wall time.
// After kill it kills the action, and nothing else, with SIGKILL; 0 means never.
func (r *Runner) Exec(ctx context.Context, binary string, inputs map[string]string, kill time.Duration) (*Step, string, time.Duration, error) {
	return r.ExecAnd(ctx, binary, inputs, func(action *os.Process) (stop func()) {
		if kill == 0 {
			return func() {}
		}
		timer := time.AfterFunc(kill, func() { _ = action.Kill() })
		return func() { timer.Stop() }
	})
}

// ExecAnd is [Runner.Exec] with something that starts when the action runs, and is stopped when
// the action has ended.
func (r *Runner) ExecAnd(ctx context.Context, binary string, inputs map[string]string, begin func(action *os.Process) (stop func())) (*Step, string, time.Duration, error) {
	r.RunID++
	step, err := r.Step(inputs)
	if err != nil {
		return nil, "", 0, err
	}
	// A file, since a Terraform that outlives the action would hold a pipe open.
	log, err := os.CreateTemp(r.Dir, "log-*")
	if err != nil {
		return nil, "", 0, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env, cmd.Stdout, cmd.Stderr = step.Environ, log, log
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, "", 0, err
	}
	stop := begin(cmd.Process)
	runErr := cmd.Wait()
	stop()
	took := time.Since(began)
	content, err := os.ReadFile(log.Name())
	return step, string(content), took, errors.Join(runErr, err)
}
