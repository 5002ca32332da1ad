package modules

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gruntwork-io/terratest/modules/terraform"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// An account that was created with the previous version of the modules is updated in place: nothing
// that holds planfiles, records or trust is replaced.
func TestUpgradeFromThePreviousModules(t *testing.T) {
	t.Parallel()
	moto, err := fakeaws.Run(t.Context()) // an account of its own
	fatal(t, err)
	t.Cleanup(func() { _ = moto.Close() }) // it ends with the test's context, too

	previous, current := previousModules(t), copyModules(t)
	before, now := prepared(t, moto, previous), prepared(t, moto, current)
	if variables, err := os.ReadFile(filepath.Join(before.TerraformDir, "variables.tf")); err != nil || !strings.Contains(string(variables), `"stacks"`) {
		delete(before.Vars, "stacks")
	}
	terraform.InitContext(t, t.Context(), before)
	serveProvider(t, before.TerraformDir, before.EnvVars, previous, current)
	terraform.ApplyContext(t, t.Context(), before)

	now.EnvVars = before.EnvVars // with the same provider
	terraform.InitContext(t, t.Context(), now)
	state, err := os.ReadFile(filepath.Join(before.TerraformDir, "terraform.tfstate"))
	fatal(t, err)
	write(t, filepath.Join(now.TerraformDir, "terraform.tfstate"), string(state))
	now.PlanFilePath = filepath.Join(t.TempDir(), "planfile")
	terraform.PlanContext(t, t.Context(), now)
	plan := terraform.ShowWithStructContext(t, t.Context(), now)
	for address, change := range plan.ResourceChangesMap {
		switch change.Type {
		case "aws_s3_bucket", "aws_kms_key", "aws_dynamodb_table", "aws_iam_role", "aws_iam_openid_connect_provider":
			if change.Change.Actions.Delete() || change.Change.Actions.Replace() {
				t.Errorf("the upgrade does not keep %s: %v", address, change.Change.Actions)
			}
		}
	}
	terraform.ApplyContext(t, t.Context(), now)
	now.PlanFilePath = ""
	if code := terraform.PlanExitCodeContext(t, t.Context(), now); code != 0 {
		t.Errorf("terraform plan after the upgrade exits with %d, want 0: no changes", code)
	}
}

// previousModules returns the modules of the newest commit in which they differ from those here. If
// there is none, as in a shallow clone, it returns those here.
func previousModules(t *testing.T) string {
	t.Helper()
	root := absolute(t, "../..")
	for _, commit := range strings.Fields(run(t, root, "git", "rev-list", "HEAD", "--", "modules")) {
		differs := exec.CommandContext(t.Context(), "git", "diff", "--quiet", commit, "--", "modules")
		differs.Dir = root
		var exit *exec.ExitError
		if err := differs.Run(); err == nil {
			continue
		} else if !errors.As(err, &exit) || exit.ExitCode() != 1 {
			t.Fatalf("git diff: %v", err)
		}
		to := t.TempDir()
		files := tar.NewReader(bytes.NewReader([]byte(run(t, root, "git", "archive", commit, "modules"))))
		for {
			file, err := files.Next()
			if errors.Is(err, io.EOF) {
				t.Logf("upgrading from the modules of commit %s", commit)
				return filepath.Join(to, "modules")
			}
			fatal(t, err)
			if file.Typeflag == tar.TypeReg {
				content, err := io.ReadAll(files)
				fatal(t, err)
				write(t, filepath.Join(to, file.Name), string(content))
			}
		}
	}
	return copyModules(t)
}
