// Package modules tests the Terraform modules: with their own tests, in an AWS account of moto, and by
// evaluating their policies.
package modules

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/dynamo"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

const (
	region     = "us-east-1"
	repository = "acme/infrastructure"
	workflow   = "acme/workflows/.github/workflows/plan.yml@refs/heads/main"

	pullRequest = "repo:" + repository + ":pull_request"
	mainBranch  = "repo:" + repository + ":ref:refs/heads/main"
	mergeQueue  = "repo:" + repository + ":ref:refs/heads/gh-readonly-queue/main/pr-41-" + "0123456789012345678901234567890123456789"
	production  = "repo:" + repository + ":environment:production" // on the main branch
)

// account is an AWS account with the resources of the example.
type account struct {
	moto     *fakeaws.Server
	trail    *fakeaws.Trail
	endpoint string // the trail's
	options  *terraform.Options

	bucket, table, tableARN string
	states                  string // the bucket with Terraform's states
	settings                string // the output gitops_yaml
	policies                policies
}

// TestAccount uses an account from beginning to end: it applies the example, runs the actions,
// checks their requests against the policies of the modules, and destroys everything.
func TestAccount(t *testing.T) {
	t.Parallel() // most of it is waiting: the AWS provider lets S3 settle for a minute
	a := &account{moto: fakeaws.Start(t)}
	a.trail = fakeaws.NewTrail(a.moto)
	server := httptest.NewServer(a.trail)
	t.Cleanup(server.Close)
	a.endpoint = server.URL

	a.options = example(t, a.moto, copyModules(t))
	terraform.ApplyContext(t, t.Context(), a.options)
	a.read(t)

	t.Run("what was made", a.checkResources)
	// moto ignores conditions, so it would deny every upload. The policies are evaluated below,
	// with their conditions.
	objects := a.objects()
	for _, bucket := range []string{a.bucket, a.states} {
		_, err := objects.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &bucket})
		fatal(t, err)
	}
	t.Run("plan and apply", a.planAndApply)
	t.Run("paths that a story seldom takes", a.seldomPaths)
	for bucket, document := range map[string]map[string]any{a.bucket: a.policies.Bucket, a.states: a.policies.States} {
		policy, err := json.Marshal(document)
		fatal(t, err)
		_, err = objects.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(string(policy))})
		fatal(t, err)
	}
	if t.Failed() {
		t.FailNow()
	}
	calls := a.calls(t)
	t.Run("every call is allowed to the role that made it", func(t *testing.T) { a.checkAllowed(t, calls) })
	t.Run("no role may do what no call needed", func(t *testing.T) { a.checkNoMore(t, calls) })
	t.Run("attempts are refused", a.checkRefused)
	t.Run("every condition matters", func(t *testing.T) { a.checkConditions(t, calls) })

	t.Run("a second plan changes nothing", func(t *testing.T) {
		if code := terraform.PlanExitCodeContext(t, t.Context(), a.options); code != 0 {
			t.Errorf("terraform plan exits with %d, want 0: no changes", code)
		}
	})
	t.Run("the states are not destroyed by mistake", func(t *testing.T) {
		mistake := *a.options
		mistake.Targets = []string{"aws_s3_bucket.state"}
		if _, err := terraform.DestroyContextE(t, t.Context(), &mistake); err == nil || !strings.Contains(err.Error(), "prevent_destroy") {
			t.Errorf("got error %v, want that the bucket is protected", err)
		}
	})
	t.Run("the table is not destroyed by mistake", func(t *testing.T) {
		mistake := *a.options
		mistake.Targets = []string{"module.table"}
		if _, err := terraform.DestroyContextE(t, t.Context(), &mistake); err == nil || !strings.Contains(err.Error(), "DeletionProtectionEnabled") {
			t.Errorf("got error %v, want that the table is protected", err)
		}
	})
	t.Run("it can be destroyed on purpose", func(t *testing.T) {
		write(t, filepath.Join(a.options.TerraformDir, "purpose_override.tf"),
			"module \"table\" {\n  deletion_protection_enabled = false\n}\n\nmodule \"bucket\" {\n  force_destroy = true\n}\n"+
				"\nresource \"aws_s3_bucket\" \"state\" {\n  lifecycle {\n    prevent_destroy = false\n  }\n}\n")
		_, err := objects.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &a.states}) // for moto, as above
		fatal(t, err)
		a.emptyStates(t)
		terraform.ApplyContext(t, t.Context(), a.options)
		// moto can't delete the last version of an object that also has delete markers.
		versions, err := objects.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &a.states})
		fatal(t, err)
		for _, marker := range versions.DeleteMarkers {
			_, err := objects.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &a.states, Key: marker.Key, VersionId: marker.VersionId})
			fatal(t, err)
		}
		terraform.DestroyContext(t, t.Context(), a.options)
		if roles, err := iam.NewFromConfig(a.moto.Config()).ListRoles(t.Context(), nil); err != nil || len(roles.Roles) != 0 {
			t.Errorf("roles are left (error %v)", err)
		}
	})
}

// emptyStates deletes all versions in the bucket of states, delete markers first. The provider can't:
// moto fails to delete a marker if it is the last version of a key.
func (a *account) emptyStates(t *testing.T) {
	t.Helper()
	list, err := a.objects().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &a.states})
	fatal(t, err)
	remove := func(key, version *string) {
		_, err := a.objects().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &a.states, Key: key, VersionId: version})
		fatal(t, err)
	}
	for _, marker := range list.DeleteMarkers {
		remove(marker.Key, marker.VersionId)
	}
	for _, version := range list.Versions {
		remove(version.Key, version.VersionId)
	}
}

// example is [prepared], and initialized, with a provider of its own: see [serveProvider].
func example(t *testing.T, moto *fakeaws.Server, modules string) *terraform.Options {
	t.Helper()
	options := prepared(t, moto, modules)
	terraform.InitContext(t, t.Context(), options)
	serveProvider(t, options.TerraformDir, options.EnvVars, modules)
	return options
}

// prepared prepares examples/complete in a copy of the modules as a user would, except for the account.
func prepared(t *testing.T, moto *fakeaws.Server, modules string) *terraform.Options {
	t.Helper()
	dir := filepath.Join(modules, "github-oidc-roles", "examples", "complete")
	// moto's S3 has no host name for each bucket.
	write(t, filepath.Join(dir, "moto_override.tf"), "provider \"aws\" {\n  s3_use_path_style = true\n}\n")
	environ := terraformEnviron(t)
	for _, entry := range moto.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		environ[name] = value
	}
	return &terraform.Options{
		TerraformBinary: "terraform", TerraformDir: dir, EnvVars: environ, NoColor: true, Logger: logger.TestingT,
		Vars: map[string]any{
			"region": region, "name": "acme-gitops",
			"repositories": []any{map[string]any{"name": repository}},
			"stacks":       []any{"stack"},
			"claims":       map[string]any{"plan_storage": map[string]any{"job_workflow_ref": []any{workflow}}},
		},
	}
}

// read reads what the example created. Policies are as AWS returns them.
func (a *account) read(t *testing.T) {
	t.Helper()
	a.settings = terraform.OutputContext(t, t.Context(), a.options, "gitops_yaml")
	a.bucket, a.table, a.states = "acme-gitops-planfiles", "acme-gitops-plans", "acme-gitops-state"

	table, err := dynamodb.NewFromConfig(a.moto.Config()).DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &a.table})
	fatal(t, err)
	a.tableARN = *table.Table.TableArn
	a.policies = policies{Identity: map[string]map[string]any{}, Trust: map[string]map[string]any{}, Account: strings.Split(a.tableARN, ":")[4]}

	client := iam.NewFromConfig(a.moto.Config())
	providers, err := client.ListOpenIDConnectProviders(t.Context(), nil)
	fatal(t, err)
	if len(providers.OpenIDConnectProviderList) != 1 {
		t.Fatalf("%d identity providers", len(providers.OpenIDConnectProviderList))
	}
	a.policies.Provider = *providers.OpenIDConnectProviderList[0].Arn
	for _, name := range []string{"plan", "plan-storage", "apply", "apply-storage", "drift-storage"} {
		role := "acme-gitops-" + name
		got, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
		fatal(t, err)
		a.policies.Trust[role] = document(t, *got.Role.AssumeRolePolicyDocument)
		attached, err := client.ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &role})
		fatal(t, err)
		inline, err := client.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
		fatal(t, err)
		want := 1 // the one for states
		if strings.HasSuffix(name, "-storage") {
			want = 0
		}
		if len(attached.AttachedPolicies) != want || len(inline.PolicyNames) != 1 {
			t.Fatalf("role %s has policies %v and %v", role, attached.AttachedPolicies, inline.PolicyNames)
		}
		policy, err := client.GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &inline.PolicyNames[0]})
		fatal(t, err)
		all := document(t, *policy.PolicyDocument)
		for _, attached := range attached.AttachedPolicies {
			version, err := client.GetPolicyVersion(t.Context(), &iam.GetPolicyVersionInput{PolicyArn: attached.PolicyArn, VersionId: aws.String("v1")})
			fatal(t, err)
			more := document(t, *version.PolicyVersion.Document)
			all["Statement"] = slices.Concat(all["Statement"].([]any), more["Statement"].([]any))
		}
		a.policies.Identity[role] = all
	}

	objects := a.objects()
	policy, err := objects.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &a.bucket})
	fatal(t, err)
	a.policies.Bucket = document(t, *policy.Policy)
	states, err := objects.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &a.states})
	fatal(t, err)
	a.policies.States, a.policies.statesARN = document(t, *states.Policy), "arn:aws:s3:::"+a.states
	encryption, err := objects.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &a.bucket})
	fatal(t, err)
	a.policies.KeyARN = *encryption.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.KMSMasterKeyID
	key, err := kms.NewFromConfig(a.moto.Config()).GetKeyPolicy(t.Context(), &kms.GetKeyPolicyInput{KeyId: &a.policies.KeyARN, PolicyName: aws.String("default")})
	fatal(t, err)
	a.policies.Key = document(t, *key.Policy)
}

func (a *account) objects() *s3.Client {
	return s3.NewFromConfig(a.moto.Config(), func(o *s3.Options) { o.UsePathStyle = true })
}

// document decodes a policy, which IAM returns URL-encoded.
func document(t *testing.T, text string) map[string]any {
	t.Helper()
	if !strings.HasPrefix(text, "{") {
		decoded, err := url.QueryUnescape(text)
		fatal(t, err)
		text = decoded
	}
	var policy map[string]any
	fatal(t, json.Unmarshal([]byte(text), &policy))
	return policy
}

// checkResources reads what the modules created through AWS' APIs.
func (a *account) checkResources(t *testing.T) {
	objects := a.objects()
	public, err := objects.GetPublicAccessBlock(t.Context(), &s3.GetPublicAccessBlockInput{Bucket: &a.bucket})
	fatal(t, err)
	on := aws.Bool(true)
	if diff := cmp.Diff(&s3types.PublicAccessBlockConfiguration{BlockPublicAcls: on, BlockPublicPolicy: on, IgnorePublicAcls: on, RestrictPublicBuckets: on},
		public.PublicAccessBlockConfiguration, ignoreSmithy); diff != "" {
		t.Error(diff)
	}
	versioning, err := objects.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: &a.bucket})
	fatal(t, err)
	if versioning.Status != s3types.BucketVersioningStatusEnabled {
		t.Errorf("versioning is %q", versioning.Status)
	}
	encryption, err := objects.GetBucketEncryption(t.Context(), &s3.GetBucketEncryptionInput{Bucket: &a.bucket})
	fatal(t, err)
	if rule := encryption.ServerSideEncryptionConfiguration.Rules[0]; rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm != s3types.ServerSideEncryptionAwsKms || !aws.ToBool(rule.BucketKeyEnabled) {
		t.Errorf("encryption is %+v", rule)
	}
	ownership, err := objects.GetBucketOwnershipControls(t.Context(), &s3.GetBucketOwnershipControlsInput{Bucket: &a.bucket})
	fatal(t, err)
	if got := ownership.OwnershipControls.Rules[0].ObjectOwnership; got != s3types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("object ownership is %q", got)
	}
	lifecycle, err := objects.GetBucketLifecycleConfiguration(t.Context(), &s3.GetBucketLifecycleConfigurationInput{Bucket: &a.bucket})
	fatal(t, err)
	expires := map[string]bool{}
	for _, rule := range lifecycle.Rules {
		if rule.Expiration != nil && rule.Expiration.Days != nil || rule.NoncurrentVersionExpiration != nil {
			expires[aws.ToString(rule.Filter.Prefix)] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{"planfiles/": true}, expires); diff != "" {
		t.Errorf("what expires: %s", diff)
	}

	items := dynamodb.NewFromConfig(a.moto.Config())
	table, err := items.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &a.table})
	fatal(t, err)
	indexes := map[string][]dynamodbtypes.KeySchemaElement{"": table.Table.KeySchema}
	for _, index := range table.Table.GlobalSecondaryIndexes {
		indexes[*index.IndexName] = index.KeySchema
	}
	schema := func(hash, sort string) []dynamodbtypes.KeySchemaElement {
		return []dynamodbtypes.KeySchemaElement{{AttributeName: &hash, KeyType: dynamodbtypes.KeyTypeHash}, {AttributeName: &sort, KeyType: dynamodbtypes.KeyTypeRange}}
	}
	if diff := cmp.Diff(map[string][]dynamodbtypes.KeySchemaElement{
		"": schema("pk", "sk"), "by-pull-request": schema("pullRequest", "createdAt"), "by-run": schema("run", "pk"), "by-day": schema("claimedOn", "claimedAt"),
	}, indexes, ignoreSmithy); diff != "" {
		t.Error(diff)
	}
	if !aws.ToBool(table.Table.DeletionProtectionEnabled) || table.Table.BillingModeSummary.BillingMode != dynamodbtypes.BillingModePayPerRequest {
		t.Error("the table is not protected, or not on demand")
	}
	ttl, err := items.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &a.table})
	fatal(t, err)
	if aws.ToString(ttl.TimeToLiveDescription.AttributeName) != "expiresAt" {
		t.Error("the table's TTL attribute is not expiresAt")
	}
	backups, err := items.DescribeContinuousBackups(t.Context(), &dynamodb.DescribeContinuousBackupsInput{TableName: &a.table})
	fatal(t, err)
	if backups.ContinuousBackupsDescription.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != dynamodbtypes.PointInTimeRecoveryStatusEnabled {
		t.Error("the table has no point-in-time recovery")
	}
}

// token returns an ID token as GitHub makes it, except for its signature.
func token(subject, audience string) string {
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"iss":"https://token.actions.githubusercontent.com","aud":%q,"sub":%q,"job_workflow_ref":%q,"ref":"refs/heads/main"}`, audience, subject, workflow)
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

// planAndApply runs the two actions in the account, with the settings that the example prints. Their
// only credentials are GitHub's tokens.
func (a *account) planAndApply(t *testing.T) {
	var subject string
	// The runner's service for ID tokens.
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"value":%q}`, token(subject, r.URL.Query().Get("audience")))
	}))
	t.Cleanup(tokens.Close)
	built, actions := t.TempDir(), map[string]string{}
	for _, name := range []string{"plan", "apply"} {
		var err error
		actions[name], err = fakerunner.Binary(t.Context(), "../..", built, name)
		fatal(t, err)
	}
	runner, err := fakerunner.OneComponent(t.Context(), t.TempDir(), "resource \"terraform_data\" \"network\" {}\n")
	fatal(t, err)
	runner.Repository = repository
	settings := strings.Replace(a.settings, "terraform-version: 1.11.4\n", "", 1) // that on PATH will do here
	if settings == a.settings {
		t.Errorf("the settings have no version of Terraform, which no hosted runner has:\n%s", a.settings)
	}
	write(t, filepath.Join(runner.Workspace(), "gitops.yaml"), settings+"components: { component: {} }\nstacks: { stack: {} }\n")
	// As documented, plus what moto and a machine outside of AWS need.
	write(t, filepath.Join(runner.Workspace(), "components", "component", "main.tf"), `terraform {
  backend "s3" {
    use_path_style              = true
    skip_credentials_validation = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
  }
}
resource "terraform_data" "network" {}
`)
	run(t, runner.Workspace(), "git", "-c", "user.name=Mona", "-c", "user.email=mona@example.com", "-c", "commit.gpgsign=false", "commit", "--quiet", "--all", "--message=settings")
	runner.SHA = strings.TrimSpace(run(t, runner.Workspace(), "git", "rev-parse", "HEAD"))
	runner.Environ = append(slices.DeleteFunc(runner.Environ, func(v string) bool { return strings.HasPrefix(v, "AWS_") }),
		"AWS_ENDPOINT_URL="+a.endpoint, "AWS_EC2_METADATA_DISABLED=true",
		"ACTIONS_ID_TOKEN_REQUEST_URL="+tokens.URL+"/token?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token")

	for _, step := range []struct {
		action, subject string
		dryRun          bool
	}{{"plan", pullRequest, false}, {"apply", mainBranch, true}, {"apply", production, false}} {
		subject = step.subject
		inputs := fakerunner.ComponentInputs()
		inputs["dry-run"] = strconv.FormatBool(step.dryRun)
		done, log, _, err := runner.Exec(t.Context(), actions[step.action], inputs, 0)
		if err != nil {
			t.Fatalf("%s: %v\n%s", step.action, err, log)
		}
		outputs, err := done.Outputs()
		fatal(t, err)
		if step.action == "apply" && outputs["status"] != "succeeded" {
			t.Errorf("the apply %s\n%s", outputs["status"], log)
		}
	}
	state, err := a.objects().GetObject(t.Context(), &s3.GetObjectInput{Bucket: &a.states, Key: aws.String("stack/component.tfstate")})
	fatal(t, err)
	content, err := io.ReadAll(state.Body)
	if err != nil || !bytes.Contains(content, []byte(`"network"`)) {
		t.Errorf("nothing was applied (error %v)", err)
	}
}

// seldomPaths calls the plan store in ways that a story would need a broken network or backend for.
// Each call has the role that would make it.
func (a *account) seldomPaths(t *testing.T) {
	planner, applier := a.store(t, planStorage, pullRequest), a.store(t, applyStorage, production)
	a.store(t, planStorage, mergeQueue)
	dir := t.TempDir()
	planfile, state := filepath.Join(dir, "planfile"), filepath.Join(dir, "errored.tfstate")
	write(t, planfile, "planfile")
	write(t, state, "{}")
	record := planstore.Record{
		Target: planstore.Target{Repository: repository, Component: "network", Stack: "dev"},
		Commit: strings.Repeat("a", 40), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		Run:  planstore.Run{ID: "1", Attempt: 1, URL: "https://github.com/" + repository + "/actions/runs/1"},
		Kind: planstore.KindChange, Outcome: planstore.OutcomeChanges, PullRequest: 41,
	}
	_, err := planner.Put(t.Context(), record, planfile)
	fatal(t, err)
	// The planfile is already stored, so its version is unknown.
	record.Run.Attempt, record.CreatedAt = 2, record.CreatedAt.Add(time.Second)
	record, err = planner.Put(t.Context(), record, planfile)
	fatal(t, err)
	if record.ObjectVersion != "" {
		t.Fatal("the same planfile was stored twice")
	}
	_, err = applier.Fetch(t.Context(), record, filepath.Join(dir, "fetched"))
	fatal(t, err)
	fatal(t, applier.Claim(t.Context(), record, record.Run, "mona", planstore.Audit{}))
	if err := applier.Claim(t.Context(), record, record.Run, "mona", planstore.Audit{}); err == nil {
		t.Error("a plan was claimed twice")
	}
	_, err = applier.PutErroredState(t.Context(), record, record.Run, state)
	fatal(t, err)
	fatal(t, applier.Finish(t.Context(), record, record.Run, planstore.Result{Status: planstore.StatusFailed, Reason: "state"}))

	// Files that were built for a plan travel with it.
	files := filepath.Join(dir, "files")
	write(t, files, "files")
	write(t, planfile, "planfile of built files")
	built := record
	built.Run.Attempt, built.CreatedAt = 3, record.CreatedAt.Add(time.Second)
	built, err = planner.PutWithFiles(t.Context(), built, planfile, files)
	fatal(t, err)
	fatal(t, applier.FetchFiles(t.Context(), built, filepath.Join(dir, "fetched files")))

	// Drift plans are stored with another role than other plans. Detection writes the link, and
	// remediation changes it.
	detector := a.store(t, driftStorage, mainBranch)
	write(t, planfile, "drift")
	drifted := record
	drifted.Kind, drifted.PullRequest = planstore.KindDrift, 0
	_, err = detector.Put(t.Context(), drifted, planfile)
	fatal(t, err)
	fatal(t, drift.In(detector).PutResult(t.Context(), drift.Result{
		Target: record.Target, Run: record.Run, Commit: record.Commit, At: record.CreatedAt, Outcome: drift.NotDrifted,
	}))
	results, err := drift.In(detector).Results(t.Context(), repository, record.Run.ID)
	if err != nil || len(results) != 1 {
		t.Fatalf("%d drift results, error %v", len(results), err)
	}
	link := drift.Link{Target: record.Target, Number: 1}
	for _, store := range []*planstore.Store{detector, applier} {
		_, err = drift.In(store).Links(t.Context(), []planstore.Target{record.Target})
		fatal(t, err)
		link, err = drift.In(store).PutLink(t.Context(), link)
		fatal(t, err)
	}
	_, err = applier.FindRecord(t.Context(), record.Target, record.ID())
	fatal(t, err)

	// Locks: the planner takes and releases them, and looks for what was applied.
	targets := []planstore.Target{record.Target}
	locks, err := planner.ReadLocks(t.Context(), targets)
	fatal(t, err)
	lock := planstore.Lock{Target: record.Target, PullRequest: 41, Run: record.Run}
	_, err = planner.TakeLock(t.Context(), lock, locks[record.Target])
	fatal(t, err)
	held, err := planner.LocksOfPullRequest(t.Context(), repository, 41)
	if err != nil || len(held) != 1 {
		t.Fatalf("%d locks, error %v", len(held), err)
	}
	fatal(t, planner.ReleaseLock(t.Context(), held[0]))
	_, err = planner.LastApplies(t.Context(), targets)
	fatal(t, err)

	// All roles read the plans of a pull request. The applier also reads who has planned a target, and a
	// dry run finds the plans to apply.
	for _, store := range []*planstore.Store{planner, applier, detector} {
		plans, err := store.PlansOfPullRequest(t.Context(), repository, 41)
		if err != nil || len(plans) != 3 {
			t.Fatalf("%d plans, error %v", len(plans), err)
		}
		_, err = store.RecordOf(t.Context(), plans[0])
		fatal(t, err)
	}
	for _, store := range []*planstore.Store{applier, detector} {
		_, err = store.Find(t.Context(), record.Target, record.Commit)
		fatal(t, err)
		_, err = store.ReadLocks(t.Context(), targets)
		fatal(t, err)
		_, err = store.LastApplies(t.Context(), targets)
		fatal(t, err)
	}
	plans, err := applier.PullRequestPlans(t.Context(), record.Target)
	if err != nil || len(plans) != 1 {
		t.Fatalf("%d pull requests with a plan, error %v", len(plans), err)
	}
}

// store opens the plan store with a role that is assumed with a token.
func (a *account) store(t *testing.T, role, subject string) *planstore.Store {
	t.Helper()
	cfg := a.moto.Config()
	cfg.BaseEndpoint, cfg.Credentials = &a.endpoint, aws.AnonymousCredentials{}
	given, err := sts.NewFromConfig(cfg).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::" + a.policies.Account + ":role/" + role), RoleSessionName: aws.String("seldom"),
		WebIdentityToken: aws.String(token(subject, awsauth.Audience)),
	})
	fatal(t, err)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*given.Credentials.AccessKeyId, *given.Credentials.SecretAccessKey, *given.Credentials.SessionToken)
	return planstore.New(dynamo.Open(cfg, a.bucket, a.table), time.Now)
}

// calls returns the requests that the actions made to AWS. Those that failed because of a condition on
// an item or object are included: IAM allowed them.
func (a *account) calls(t *testing.T) []request {
	t.Helper()
	var all []request
	for _, c := range a.trail.Calls() {
		if c.Role == "" {
			t.Errorf("a call of nobody's role: %s %s", c.Service, c.Operation)
			continue
		}
		all = append(all, a.requests(t, c)...)
	}
	return all
}

func write(t *testing.T, path, content string) {
	t.Helper()
	fatal(t, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o600)))
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	fatal(t, err)
	return full
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var ignoreSmithy = cmp.FilterPath(func(p cmp.Path) bool { return fmt.Sprint(p.Last()) == ".noSmithyDocumentSerde" }, cmp.Ignore())
