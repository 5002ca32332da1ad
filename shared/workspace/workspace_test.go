package workspace_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/git"
	"github.com/terraform-gitops/gitops/shared/git/gittest"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/workspace"
	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// What all targets share is created once, however many targets are worked on at once. GitHub's
// rate limiter and the plan store matter most.
func TestJobsSideBySideShareWhatIsTheSame(t *testing.T) {
	t.Parallel()
	root := gittest.Repository(t, map[string]string{
		"gitops.yaml":                "\ncomponents:\n  cluster: {depends-on: [network]}\n  network:\nstacks:\n  dev:\n",
		"components/network/main.tf": "# 1", "components/cluster/main.tf": "# 1",
	})
	head, err := git.ReadHead(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	program := "#!/bin/sh\necho \"$@\" >>'" + bin + "/calls'\necho '{\"terraform_version\": \"1.11.4\", \"terraform_outdated\": false}'\n"
	if err := executable.Write(filepath.Join(bin, "terraform"), program); err != nil {
		t.Fatal(err)
	}
	in := repository.Inputs{Overrides: inventory.Overrides{StorageURL: t.TempDir()}, Token: "ghs_x"}
	rp := open(t, root, t.TempDir(), in, &bytes.Buffer{}, "PATH="+bin+":"+os.Getenv("PATH"), "GITHUB_API_URL=https://api.github.com")
	type shared struct {
		client   *github.Client
		store    *planstore.Store
		checkout string
		version  terraform.Version
		path     string
	}
	work := func(name inventory.Name) (s shared, err error) {
		w, err := workspace.Open(t.Context(), rp, name, in)
		if err != nil {
			return s, err
		}
		defer func() { err = errors.Join(err, w.Close()) }()
		if w.Target.Name() != name || w.Inputs.Component != name.Component || w.Inputs.Stack != name.Stack {
			t.Errorf("%s, and inputs for %s, instead of %s", w.Target, w.Inputs.Component, name)
		}
		checkout, err := rp.Checkout(t.Context())
		if err != nil {
			return s, err
		}
		s.checkout = checkout.Commit
		cli, err := w.Terraform(t.Context(), "", inventory.Clouds{}, time.Now)
		if err != nil {
			return s, err
		}
		s.path = cli.Path
		if s.version, err = cli.Version(t.Context()); err != nil {
			return s, err
		}
		if s.client, err = rp.GitHub(); err != nil {
			return s, err
		}
		s.store, err = rp.StoreOf(t.Context(), w.Settings, "", time.Now)
		return s, err
	}
	results := make([]shared, 8)
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() {
			var err error
			name := inventory.Name{Component: []string{"network", "cluster"}[i%2], Stack: "dev"}
			if results[i], err = work(name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
	for _, s := range results[1:] {
		if s != results[0] {
			t.Errorf("%+v, and another has %+v", results[0], s)
		}
	}
	if results[0].version.Number != "1.11.4" || results[0].checkout != head.Commit {
		t.Errorf("%+v", results[0])
	}
	calls, err := os.ReadFile(filepath.Join(bin, "calls"))
	if err != nil || bytes.Count(calls, []byte("\n")) != 1 {
		t.Errorf("Terraform was asked more than once:\n%s", calls)
	}
}

// watched is a log that closes waits when a line says that a job waits for another job's folder.
type watched struct {
	waits chan struct{}
	once  sync.Once
}

func (w *watched) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Another target is worked on")) {
		w.once.Do(func() { close(w.waits) })
	}
	return len(line), nil
}

// Atmos writes files into a root module's folder under names that its targets share.
func TestJobsOfOneAtmosFolderWaitForEachOther(t *testing.T) {
	t.Setenv("PATH", fakerunner.Atmos(t, "../..")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../test/atmos/testdata/sample")); err != nil {
		t.Fatal(err)
	}
	log := &watched{waits: make(chan struct{})}
	rp := open(t, dir, t.TempDir(), repository.Inputs{}, log)
	first, err := workspace.Open(t.Context(), rp, inventory.Name{Component: "network", Stack: "acme-ue2-dev"}, repository.Inputs{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := workspace.Open(t.Context(), rp, inventory.Name{Component: "service/api", Stack: "acme-ue2-dev"}, repository.Inputs{})
	if err != nil {
		t.Fatalf("another folder: %v", err)
	}
	opened := make(chan error, 1)
	go func() {
		second, err := workspace.Open(t.Context(), rp, inventory.Name{Component: "network", Stack: "acme-ue2-prod"}, repository.Inputs{})
		opened <- err
		if err == nil {
			opened <- second.Close()
		}
	}()
	select {
	case err := <-opened:
		t.Fatalf("opened beside the first: %v", err)
	case <-log.waits:
	}
	if err := errors.Join(first.Close(), <-opened, <-opened, other.Close()); err != nil {
		t.Error(err)
	}
	var skipped *repository.Skipped
	if _, err := workspace.Open(t.Context(), rp, inventory.Name{Component: "service/legacy", Stack: "acme-ue2-dev"}, repository.Inputs{}); !errors.As(err, &skipped) {
		t.Errorf("one whose actions are off: %v", err)
	}
}

func TestComponentAndStackNameOneTargetTogether(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ component, stack, want string }{
		{"network", "dev", ""},
		{"", "", ""},
		{"network", "", "inputs `component` and `stack` name one target together: give both, or neither for all targets that are meant"},
		{"", "dev", "inputs `component` and `stack` name one target together: give both, or neither for all targets that are meant"},
	} {
		r := gha.New([]string{"INPUT_COMPONENT=" + c.component, "INPUT_STACK=" + c.stack}, &bytes.Buffer{})
		read := r.Inputs()
		in := repository.ReadInputs(r, read, "plan-role")
		got := ""
		if err := errors.Join(read.Err(), in.Check()); err != nil {
			got = err.Error()
		}
		if got != c.want || in.Component != c.component || in.Stack != c.stack {
			t.Errorf("%+v: %q, %s in %s", c, got, in.Component, in.Stack)
		}
	}
}

func open(t *testing.T, dir, temp string, in repository.Inputs, log io.Writer, environ ...string) *repository.Repository {
	t.Helper()
	environ = append([]string{"PATH=" + os.Getenv("PATH"), "GITHUB_WORKSPACE=" + dir, "GITHUB_REPOSITORY=acme/infra", "GITHUB_RUN_ID=7", "RUNNER_TEMP=" + temp}, environ...)
	rp, err := repository.Open(t.Context(), gha.New(environ, log), environ, in)
	if err != nil {
		t.Fatal(err)
	}
	return rp
}
