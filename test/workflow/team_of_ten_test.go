package workflow

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakegit"
)

// tofu is Terraform, which says that it is OpenTofu: that is built for `make opentofu` only. It records what it got when
// it plans or applies: its environment, and what the files for other clouds hold. Their providers are not
// run here; test/clouds shows that Google's and Azure's own libraries sign in with these files.
const tofu = `#!/usr/bin/env bash
set -o pipefail
for arg in "$@"; do
  case $arg in
    plan | apply)
      { echo "COMMAND=$arg"; env; cat "$GOOGLE_APPLICATION_CREDENTIALS"; echo; cat "$ARM_OIDC_TOKEN_FILE_PATH"; } >"RECORDS/$arg-$$"
      break ;;
  esac
done
TERRAFORM "$@" | sed -e 's/"terraform":"/"tofu":"/' -e 's/"terraform_outdated"/"outdated"/'
`

// terraformCode is the team's: a private module, and in app the zip that the set-up builds.
const terraformCode = `terraform {
  backend "local" { path = "STATE" }
}
module "name" { source = "git::https://github.com/acme/modules.git" }
resource "terraform_data" "it" { input = "${module.name.name} COMPONENT one ${ZIP}" }
output "it" { value = terraform_data.it.output }
`

// TestTheTeamOfTen runs the repository of examples/team: two accounts with an environment each, OpenTofu,
// a private module, a token for a private registry, identities for three clouds, a set-up, and Slack. Only
// names are changed: those of the bucket and the table, and of the Git server with the private module.
// That only production has reviewers is a setting of GitHub, which act doesn't have: the environments' jobs are
// separate ones here, and each account's role trusts only its own.
func TestTheTeamOfTen(t *testing.T) {
	t.Parallel()
	tm := copyTeam(t, map[string]string{"examples/team": "."})
	tm.environments = []string{"development"}
	for _, stack := range []string{"development", "production"} {
		tm.account.trusted["acme-"+stack+"-plan"] = planners
		tm.account.trusted["acme-"+stack+"-apply"] = []string{"environment:" + stack}
	}
	tm.account.trusted["acme-apply-storage"] = []string{"environment:development", "environment:production"}
	for from, to := range map[string]string{
		"us-east-2": "us-east-1", "acme-planfiles": tm.account.bucket, "acme-plans": tm.account.table,
		"arn:aws:iam::222222222222:role/acme-plan-storage": "arn:aws:iam::123456789012:role/acme-plan-storage",
		"arn:aws:iam::222222222222:role/acme-apply-stor":   "arn:aws:iam::123456789012:role/acme-apply-stor",
		"arn:aws:iam::222222222222:role/acme-drift-stor":   "arn:aws:iam::123456789012:role/acme-drift-stor",
	} {
		tm.edit("gitops.yaml", from, to)
	}

	posts := make(chan string, 9)
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var message struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			t.Errorf("what is posted is no JSON: %v", err)
		}
		posts <- message.Text
	}))
	t.Cleanup(slack.Close)
	tm.secrets = map[string]string{"SLACK_WEBHOOK_URL": slack.URL, "MODULES_TOKEN": "t0k3n-of-modules", "REGISTRY_TOKEN": "t0k3n-of-registry"}
	host := tm.privateModule()
	for _, workflow := range []string{"plan", "apply", "plan-merged", "drift", "remediate"} {
		tm.edit(".github/workflows/"+workflow+".yml", "@github.com/acme", "@"+host+"/acme")
	}
	tm.installTofu()
	for _, stack := range []string{"dev", "prod"} {
		for component, zip := range map[string]string{"network": `"no zip"`, "app": `filesha256("${path.module}/../../../lambda/function.zip")`} {
			code := strings.NewReplacer("github.com", host, "STATE", tm.path("state", stack, component), "COMPONENT", component, "${ZIP}", "${"+zip+"}").Replace(terraformCode)
			tm.write(filepath.Join("environments", stack, component, "main.tf"), code)
		}
	}
	tm.write("lambda/Makefile", "function.zip:\n\tprintf zip >function.zip\n")
	tm.write(".gitignore", "function.zip\n.terraform/\n")
	tm.begin()

	pr := tm.open("two", " one ", " two ", "environments/dev/network/main.tf", "environments/dev/app/main.tf", "environments/prod/network/main.tf", "environments/prod/app/main.tf")
	plan := tm.pullRequestEvent(pr, "opened", false).job("plan")
	plan.want("success", "4 targets: 4 with changes")
	plan.wantRoles("acme-development-plan", "acme-plan-storage", "acme-production-plan")
	tm.wantComment(pr.number, "4 targets")
	for _, want := range []string{
		"TF_TOKEN_app_terraform_io=t0k3n-of-registry", "ARM_USE_OIDC=true",
		"ARM_CLIENT_ID=11111111-aaaa-4aaa-8aaa-111111111111", "ARM_CLIENT_ID=22222222-aaaa-4aaa-8aaa-222222222222",
		"planner@acme-dev.iam.gserviceaccount.com:generateAccessToken", "planner@acme-prod.iam.gserviceaccount.com:generateAccessToken",
	} {
		tm.wantRecorded("plan", 2, want)
	}
	tm.wantRecorded("plan", 0, "t0k3n-of-modules")
	tm.wantRecorded("plan", 0, "ACTIONS_ID_TOKEN_REQUEST_TOKEN=")

	tm.merge(pr)
	push := tm.pushEvent(pr)
	review := push.job("review")
	review.want("success", "`development`: 2 targets")
	for stack, environment := range map[string]string{"dev": "development", "prod": "production"} {
		apply := push.job("apply@" + environment)
		apply.want("success", "Applied 2 targets")
		apply.wantRoles("acme-apply-storage", "acme-"+environment+"-apply")
		for _, component := range []string{"network", "app"} {
			tm.account.wantApplied(tm.account.changePlan(component, stack, pr.head), apply)
			if state := string(mustRead(t, tm.path("state", stack, component))); !strings.Contains(state, "vpc "+component+" two") {
				t.Errorf("the state of %s in %s: %s", component, stack, state)
			}
		}
	}
	tm.wantComment(pr.number, "Applied 4 targets")
	tm.wantRecorded("apply", 2, "ARM_CLIENT_ID=22222222-cccc-4ccc-8ccc-222222222222")
	tm.wantRecorded("apply", 2, "applier@acme-dev.iam.gserviceaccount.com:generateAccessToken")
	wantPost := func(want string) {
		t.Helper()
		select {
		case got := <-posts:
			if !strings.HasPrefix(got, want) {
				t.Errorf("posted %q, want %q", got, want)
			}
		default:
			t.Errorf("nothing was posted, want %q", want)
		}
	}
	wantPost("Apply in acme/infrastructure: succeeded, 4 targets: https://")

	edit(t, tm.path("state", "prod", "network"), "vpc network two", "vpc network three")
	tm.event("drift", "schedule", "", map[string]any{}).job("detect").want("success", "1 drifted")
	wantPost("Drift in acme/infrastructure: 1 targets drifted, 0 could not be planned; 1 issues opened, 0 closed: https://")
	issue := tm.issueOf("network", "prod")
	tm.github.SetClock(func() time.Time { return time.Now().Add(time.Minute) }) // Mona reads the issue first
	tm.github.Repository(name).Label(issue, "mona", "apply")
	remediation := tm.issueEvent(issue, "labeled", "apply").job("remediate")
	remediation.want("success", "Applied `network` in `prod`")
	remediation.wantRoles("acme-apply-storage", "acme-production-apply")

	merged := tm.event("plan-merged", "workflow_dispatch", "", map[string]any{
		"ref": "refs/heads/main", "inputs": map[string]any{"components": "**", "stacks": "dev"},
	})
	merged.job("plan").want("success", "2 without changes")
	merged.wantNoJob("review")
}

// privateModule starts a Git server with the module acme/modules, which wants a token, and returns its host.
func (tm *team) privateModule() string {
	tm.t.Helper()
	source := tm.path("module")
	if err := os.MkdirAll(source, 0o755); err != nil {
		tm.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(source, "main.tf"), []byte(`output "name" { value = "vpc" }`+"\n"), 0o644); err != nil {
		tm.t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"}, {"-c", "user.name=Mona", "-c", "user.email=mona@example.com", "commit", "--quiet", "--message", "Publish"},
		{"clone", "--quiet", "--bare", ".", tm.path("modules", "acme", "modules.git")},
	} {
		git := exec.CommandContext(tm.t.Context(), "git", args...)
		git.Dir, git.Env = source, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		if out, err := git.CombinedOutput(); err != nil {
			tm.t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	server, err := fakegit.Start(tm.path("modules"), map[string]string{"acme": "t0k3n-of-modules"})
	if err != nil {
		tm.t.Fatal(err)
	}
	tm.t.Cleanup(server.Close)
	if err := os.WriteFile(tm.path("ca.pem"), []byte(server.Certificate), 0o600); err != nil {
		tm.t.Fatal(err)
	}
	tm.environ = append(tm.environ, "GIT_SSL_CAINFO="+tm.path("ca.pem"))
	return server.HTTPS
}

// installTofu puts the stand-in for OpenTofu on the runner's PATH, and its version into gitops.yaml.
func (tm *team) installTofu() {
	tm.t.Helper()
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		tm.t.Fatal(err)
	}
	out, err := exec.CommandContext(tm.t.Context(), terraform, "version", "-json").Output()
	var version struct {
		Number string `json:"terraform_version"`
	}
	if err == nil {
		err = json.Unmarshal(out, &version)
	}
	for _, folder := range []string{"tofu", "records"} {
		if err == nil {
			err = os.MkdirAll(tm.path(folder), 0o755)
		}
	}
	if err == nil {
		script := strings.NewReplacer("RECORDS", tm.path("records"), "TERRAFORM", terraform).Replace(tofu)
		err = executable.Write(tm.path("tofu", "tofu"), script)
	}
	if err != nil {
		tm.t.Fatal(err)
	}
	tm.edit("gitops.yaml", `opentofu-version: "1.11.4"`, fmt.Sprintf("opentofu-version: %q", version.Number))
	tm.environ = append(tm.environ, "PATH="+tm.path("tofu")+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func (tm *team) write(file, content string) {
	tm.t.Helper()
	path := tm.path("repository", file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tm.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		tm.t.Fatal(err)
	}
}

// wantRecorded checks how many of OpenTofu's commands got something.
func (tm *team) wantRecorded(command string, want int, what string) {
	tm.t.Helper()
	got, all := 0, 0
	err := filepath.WalkDir(tm.path("records"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), command+"-") {
			return err
		}
		all++
		if strings.Contains(string(mustRead(tm.t, path)), what) {
			got++
		}
		return nil
	})
	if err != nil {
		tm.t.Fatal(err)
	}
	if got < want || want == 0 && got > 0 || all == 0 {
		tm.t.Errorf("%d of %d runs of tofu %s got %s, want %d", got, all, command, what, want)
	}
}
