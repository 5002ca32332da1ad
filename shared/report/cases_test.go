package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// The reports of the golden files.

func subject() Subject {
	return Subject{
		Component: "network", Stack: "acme-ue2-dev",
		Commit:      "4f1c2d9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
		BaseCommit:  "0aa1bb2cc3dd4ee5ff60718293a4b5c6d7e8f901",
		PullRequest: 42,
		Digest:      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		RecordID:    "4f1c2d9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e#2026-03-04T05:06:07Z#1234567890.1",
		CreatedAt:   time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		ExpiresAt:   time.Date(2026, 3, 18, 5, 6, 7, 0, time.UTC),
		Actor:       "octocat", RunURL: "https://github.com/acme/infra/actions/runs/1234567890/attempts/1",
		TerraformName: "terraform", TerraformVersion: "1.11.4",
		Reproduce: []string{"terraform -chdir=components/network init -backend-config=key=acme-ue2-dev/network.tfstate", "terraform -chdir=components/network plan -var-file=../../stacks/acme-ue2-dev.tfvars"},
	}
}

func known(s string) changes.Value {
	return changes.Value{Kind: changes.Known, Text: s, String: true}
}
func raw(s string) changes.Value { return changes.Value{Kind: changes.Known, Text: s} }

var (
	absent    = changes.Value{}
	null      = changes.Value{Kind: changes.Null}
	unknown   = changes.Value{Kind: changes.Unknown}
	sensitive = changes.Value{Kind: changes.Sensitive}
)

func attr(path string, from, to changes.Value) changes.Attribute {
	return changes.Attribute{Path: path, Old: from, New: to}
}

func forces(path string, from, to changes.Value) changes.Attribute {
	return changes.Attribute{Path: path, Old: from, New: to, ForcesReplacement: true}
}

func resource(action changes.Action, address string, attributes ...changes.Attribute) changes.Resource {
	parts := strings.Split(regexp.MustCompile(`\[.*?\]`).ReplaceAllString(address, ""), ".")
	return changes.Resource{Address: address, Mode: "managed", Type: parts[max(0, len(parts)-2)], Action: action, Attributes: attributes}
}

// planOf counts what it is given.
func planOf(resources ...changes.Resource) *changes.Plan {
	c := &changes.Plan{FormatVersion: "1.2", TerraformVersion: "1.11.4", Complete: true, Resources: resources}
	at := map[changes.TypeCount]int{}
	for i := range resources {
		r := &resources[i]
		for _, n := range []struct {
			action changes.Action
			n      *int
		}{
			{changes.Create, &c.Counts.Create}, {changes.Update, &c.Counts.Update}, {changes.Delete, &c.Counts.Delete},
			{changes.Replace, &c.Counts.Replace}, {changes.Forget, &c.Counts.Forget}, {changes.ReadData, &c.Counts.Read},
		} {
			if n.action == r.Action {
				*n.n++
			}
		}
		if r.Importing {
			c.Counts.Import++
		}
		if r.PreviousAddress != "" {
			c.Counts.Move++
		}
		key := changes.TypeCount{Action: r.Action, Type: r.Type}
		if _, ok := at[key]; !ok {
			at[key] = len(c.ByType)
			c.ByType = append(c.ByType, key)
		}
		c.ByType[at[key]].Count++
	}
	return c
}

func plan(c *changes.Plan) Plan {
	return Plan{Subject: subject(), Changes: c,
		ApplyHow: "Merge this pull request: the apply workflow then applies exactly this planfile."}
}

const policyOld = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["s3:GetObject"],"Resource":"arn:aws:s3:::logs/*"},{"Sid":"List","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::logs"}]}`

var policyNew = strings.Replace(strings.Replace(policyOld, `["s3:GetObject"]`, `["s3:GetObject","s3:PutObject"]`, 1), "arn:aws:iam::111122223333:root", "*", 1)

const script = "#!/bin/bash\nset -euo pipefail\n\nmkdir -p /srv/app\ncd /srv/app\ncurl -fsS https://example.com/app.tgz | tar xz\n\nsystemctl enable app\nsystemctl start app\necho done\n"

// planCases are the plans of the golden files, by the file's name.
func planCases() map[string]Plan {
	cases := map[string]Plan{}
	add := func(name string, c *changes.Plan, edit ...func(*Plan)) {
		p := plan(c)
		for _, e := range edit {
			e(&p)
		}
		cases[name] = p
	}

	subnet := func(action changes.Action, key, cidr string) changes.Resource {
		return resource(action, `module.vpc.aws_subnet.private["`+key+`"]`,
			attr("arn", absent, unknown), attr("availability_zone", absent, known(key)), attr("cidr_block", absent, known(cidr)), attr("id", absent, unknown),
			attr("map_public_ip_on_launch", absent, raw("false")), attr(`tags["Name"]`, absent, known("acme-ue2-dev-private")), attr("timeouts", absent, null), attr("vpc_id", absent, unknown))
	}
	vpc := resource(changes.Create, "module.vpc.aws_vpc.this", attr("arn", absent, unknown), attr("cidr_block", absent, known("10.1.0.0/16")),
		attr("enable_dns_hostnames", absent, raw("true")), attr("id", absent, unknown), attr(`tags["Name"]`, absent, known("acme-ue2-dev")))
	add("plan-create", planOf(vpc, subnet(changes.Create, "us-east-2a", "10.1.0.0/20"), subnet(changes.Create, "us-east-2b", "10.1.16.0/20")))

	update := resource(changes.Update, "aws_instance.web", attr("instance_type", known("t3.small"), known("t3.large")),
		attr("monitoring", raw("false"), raw("true")), attr(`tags["Owner"]`, absent, known("platform")), attr(`tags["Temp"]`, known("yes"), absent),
		attr("description", known("The web server of the acme development environment in Ohio, kept small"), known("The web server of the acme development environment in Ohio, made larger for the load test")),
		attr("security_groups", raw(`["sg-0123456789abcdef0","sg-0fedcba9876543210"]`), raw(`["sg-0123456789abcdef0","sg-0fedcba9876543210","sg-00112233445566778"]`)),
		attr("password", sensitive, sensitive), attr("public_ip", known("203.0.113.7"), unknown))
	add("plan-update", planOf(update))

	db := resource(changes.Replace, "module.db.aws_db_instance.main", forces("engine_version", known("14.9"), known("16.3")), attr("address", known("main.abc.us-east-2.rds.amazonaws.com"), unknown),
		attr("id", known("main"), unknown), forces("storage_encrypted", raw("false"), raw("true")))
	db.Reason, db.ReplacePaths = "replace_because_cannot_update", []string{"engine_version", "storage_encrypted"}
	lc := resource(changes.Replace, "aws_launch_template.web", forces("name", known("web-1"), known("web-2")), attr("id", known("lt-0a1b2c3d"), unknown))
	lc.Reason, lc.ReplacePaths, lc.CreateFirst = "replace_because_cannot_update", []string{"name"}, true
	tainted := resource(changes.Replace, "terraform_data.bootstrap", attr("id", known("8d7b4d6e"), unknown))
	tainted.Reason = "replace_because_tainted"
	old := resource(changes.Delete, "aws_eip.old", attr("public_ip", known("203.0.113.9"), null), attr("id", known("eipalloc-1"), null))
	old.Reason = "delete_because_no_resource_config"
	add("plan-replace", planOf(old, db, lc, tainted, update, vpc))

	var many []changes.Resource
	for i := range 60 {
		r := resource(changes.Delete, fmt.Sprintf("aws_route53_record.app[%d]", i), attr("name", known(fmt.Sprintf("app-%d.example.com", i)), null), attr("ttl", raw("300"), null))
		r.Reason = "delete_because_count_index"
		many = append(many, r)
	}
	add("plan-delete-many", planOf(many...))

	imported := resource(changes.Import, "aws_s3_bucket.logs")
	imported.Importing, imported.ImportID = true, "acme-logs"
	importedUpdate := resource(changes.Update, "aws_s3_bucket.data", attr(`tags["Owner"]`, null, known("data")))
	importedUpdate.Importing, importedUpdate.ImportID = true, "acme-data"
	moved := resource(changes.Move, "module.app.aws_iam_role.task")
	moved.PreviousAddress = "aws_iam_role.task"
	forgotten := resource(changes.Forget, "aws_kms_key.shared", attr("description", known("shared key"), null))
	read := resource(changes.ReadData, "data.aws_iam_policy_document.task", attr("json", absent, unknown))
	read.Reason = "read_because_dependency_pending"
	byIdentity := resource(changes.Import, "aws_s3_bucket.by_identity")
	byIdentity.Importing, byIdentity.ImportIdentity = true, `{"account_id":"111122223333","bucket":"logs"}`
	later := resource(changes.Create, "aws_s3_bucket.later", attr("bucket", absent, unknown))
	later.Importing, later.ImportUnknown = true, true
	add("plan-import-move-forget", planOf(forgotten, importedUpdate, imported, byIdentity, later, moved, read))

	secret := resource(changes.Update, "aws_secretsmanager_secret_version.db", attr("secret_string", sensitive, sensitive), attr("secret_binary", null, sensitive), attr("version_stages", raw(`["AWSCURRENT"]`), unknown))
	secretMade := resource(changes.Create, "random_password.db", attr("bcrypt_hash", absent, sensitive), attr("id", absent, unknown), attr("length", absent, raw("32")), attr("result", absent, sensitive))
	c := planOf(secret, secretMade)
	c.Outputs = []changes.Output{{Name: "db_password", Action: changes.Update, Old: sensitive, New: sensitive}}
	c.Counts.Outputs = 1
	add("plan-sensitive", c)

	long := known(strings.Repeat("0123456789", 400) + "A" + strings.Repeat("x", 3000))
	longer := known(strings.Repeat("0123456789", 400) + "B" + strings.Repeat("x", 3000))
	lines := resource(changes.Update, "aws_s3_bucket_policy.logs", attr("policy", known(policyOld), known(policyNew)),
		attr("user_data", known(script), known(strings.Replace(script, "systemctl start app\n", "systemctl start app\nsystemctl status app\n", 1))),
		attr("same_json", known(`{"a":1,"b":[1,2]}`), known(`{ "a": 1, "b": [1, 2] }`)),
		attr("was_json", known(`{"a":1,"b":2}`), unknown),
		attr("blob", long, longer),
		attr("cut", changes.Value{Kind: changes.Known, Text: "start", String: true, Cut: 9000}, changes.Value{Kind: changes.Known, Text: "start", String: true, Cut: 9001}))
	lines.AttributesOmitted = 3
	linesMade := resource(changes.Create, "aws_iam_role_policy.app", attr("id", absent, unknown), attr("policy", absent, known(policyOld)), attr("ingress", absent, raw(`[{"cidr_blocks":["10.0.0.0/8"],"from_port":443,"protocol":"tcp","to_port":443}]`)))
	linesForced := resource(changes.Replace, "terraform_data.script", forces("triggers_replace", known(script), null))
	linesForced.ReplacePaths = []string{"triggers_replace"}
	add("plan-multi-line", planOf(linesForced, lines, linesMade))

	var nasty []changes.Resource
	for i, s := range markdowntest.Hostile {
		action := []changes.Action{changes.Delete, changes.Update, changes.Create, changes.Replace}[i%4]
		r := resource(action, `terraform_data.x["`+s+`"]`, attr("input["+s+"]", known(s), known(s+"\n"+s)), attr(s, absent, raw(s)))
		r.ReplacePaths = []string{s}
		r.Type = s
		nasty = append(nasty, r)
	}
	c = planOf(nasty...)
	c.Outputs = []changes.Output{{Name: "</details>@octocat", New: known("```\n</details>")}}
	c.Counts.Outputs = 1
	c.Checks = []changes.Check{{Address: "check.`x`|#1", Status: "fail", Messages: []string{"ask @octocat about #1\n# now"}}}
	add("plan-hostile", c, func(p *Plan) {
		p.Component, p.Stack = "</summary>`@octocat`", "a|b\n## c"
		p.Actor, p.RunURL = "@octocat", "javascript:alert(1)"
		p.Notes = []string{"branch <b>@octocat</b> closes #1"}
		p.DependsOn = []string{"[x](https://example.com)"}
		p.Diagnostics = []terraform.Diagnostic{{Severity: "warning", Summary: "<!-- x --> @octocat", Detail: "# x\n```\n</details>\n\n    </details>", File: "a`b.tf", Line: 3, Snippet: "```\n</details>"}}
	})

	c = planOf()
	c.Outputs = []changes.Output{
		{Name: "endpoint", Action: changes.Create, Old: absent, New: unknown}, {Name: "old", Action: changes.Delete, Old: known("x"), New: absent},
		{Name: "subnets", Action: changes.Update, Old: raw(`["subnet-0123456789abcdef0"]`), New: raw(`["subnet-0123456789abcdef0","subnet-0fedcba9876543210"]`)}}
	c.Counts.Outputs = 3
	add("plan-outputs", c)

	c = planOf(update)
	drifted := resource(changes.Update, "aws_security_group.web", attr("ingress[0].cidr_blocks[0]", known("10.0.0.0/8"), known("0.0.0.0/0")))
	gone := resource(changes.Delete, "aws_instance.batch", attr("id", known("i-0123"), null))
	deferred := resource(changes.Create, "module.app.kubernetes_manifest.crd", attr("manifest", absent, unknown))
	deferred.Reason = "provider_config_unknown"
	c.Drift, c.Counts.Drift = []changes.Resource{drifted, gone}, 2
	c.Deferred, c.Counts.Deferred, c.Complete = []changes.Resource{deferred}, 1, false
	add("plan-drift-deferred", c)
	c = planOf()
	c.Drift, c.Counts.Drift = []changes.Resource{drifted}, 1
	add("plan-drift-only", c)
	c = planOf(update)
	c.Drift, c.Counts.Drift, c.DriftLeftOut = []changes.Resource{drifted}, 10, 9
	add("plan-drift-left-out", c)
	c = planOf()
	c.Counts.Drift, c.DriftLeftOut = 9, 9
	add("plan-drift-without-effect", c)

	invoked := func(c *changes.Plan) *changes.Plan {
		c.Invocations = []changes.Invocation{
			{Address: "action.aws_lambda_invoke.purge", Type: "aws_lambda_invoke", Trigger: "aws_instance.web", Event: "AfterUpdate", SettingsOmitted: 1, Settings: []changes.Attribute{
				attr("function_name", absent, known("purge-prod")), attr("payload", absent, unknown), attr("token", absent, sensitive)}},
			{Address: "action.x.notify[0]", Type: "x", Trigger: "aws_instance.web", Event: "BeforeDestroy"},
			{Address: "action.x.now", Type: "x"}, {Address: "action.x.odd", Type: "x", Trigger: "a.b", Event: "Sometimes"}}
		c.Counts.Invoke = 5
		c.InvocationsDeferred, c.DeferredInvocations = []changes.Invocation{{Address: "action.x.later", Type: "x", Trigger: "a.b", Event: "AfterCreate", Reason: "deferred_prereq"}}, 1
		return c
	}
	add("plan-invocations", invoked(planOf(update)))
	c = invoked(planOf())
	c.Unknown, c.UnknownOmitted = []string{"ephemeral_changes", "`odd`\n<b>"}, 2
	add("plan-invocations-only", c)

	c = planOf(update)
	c.Checks = []changes.Check{{Address: "check.health", Status: "fail", Messages: []string{"The load balancer answers 503, not 200.", "The certificate ends in 3 days."}},
		{Address: "output.url", Status: "error"}, {Address: "aws_instance.web", Status: "unknown"}}
	add("plan-checks", c, func(p *Plan) {
		p.Notes = []string{"This component's backend has no state locking."}
		p.DependsOn = []string{"vpc", "dns"}
		p.Diagnostics = []terraform.Diagnostic{
			{Severity: "warning", Summary: "Argument is deprecated", Detail: "Use the aws_s3_bucket_acl resource instead.", Address: "aws_s3_bucket.logs", File: "main.tf", Line: 7, Snippet: "  acl = \"private\""},
			{Severity: "warning", Summary: "Values for undeclared variables", Detail: "The root module does not declare a variable named \"regoin\" but a value was found in file \"dev.tfvars\". If you meant to use this value, add a \"variable\" block to the configuration."}}
	})

	add("plan-failed", nil, func(p *Plan) {
		p.ApplyHow, p.Code = "", problem.Terraform
		p.Digest, p.ExpiresAt = "", time.Time{}
		p.Diagnostics = []terraform.Diagnostic{
			{Severity: "error", Summary: "Unsupported attribute", Detail: "This object has no argument, nested block, or exported attribute named \"idd\". Did you mean \"id\"?", Address: "aws_instance.web", File: "main.tf", Line: 12, EndLine: 12, Snippet: "  subnet_id = aws_subnet.a.idd"},
			{Severity: "error", Summary: "Invalid count argument", Detail: "The \"count\" value depends on resource attributes that cannot be determined until apply.\n\nTo work around this, use the -target option:\n\n    terraform apply -target=aws_subnet.a\n\nthen plan again.", File: "modules/app/main.tf", Line: 3, Snippet: "  count = length(aws_subnet.a[*].id)"},
			{Severity: "error", Summary: "No value for required variable", Detail: "The root module input variable \"region\" is not set, and has no default value.", File: "variables.tf", Line: 1},
			{Severity: "warning", Summary: "Deprecated", Detail: "Old."}}
	})
	add("plan-failed-before-terraform", nil, func(p *Plan) {
		p.ApplyHow = ""
		p.Digest, p.ExpiresAt, p.TerraformVersion = "", time.Time{}, ""
		p.Error = "plan network in acme-ue2-dev: assume role arn:aws:iam::111122223333:role/planner: AccessDenied: let its trust policy admit this repository"
	})
	add("plan-no-changes", planOf())

	var large []changes.Resource
	for i := range 2000 {
		action := changes.Create
		switch {
		case i < 3:
			action = changes.Delete
		case i < 8:
			action = changes.Replace
		case i < 100:
			action = changes.Update
		}
		from := absent
		if action != changes.Create {
			from = known("before")
		}
		name, size, id := known(fmt.Sprintf("machine-%d äöü 機械", i)), raw(fmt.Sprint(i)), unknown
		if action == changes.Delete {
			name, size, id = null, null, null
		}
		large = append(large, resource(action, fmt.Sprintf(`module.fleet["eu-%d"].terraform_data.machine[%d]`, i%7, i),
			attr("input.name", from, name), attr("input.size", from, size), attr("id", from, id)))
	}
	add("plan-large", planOf(large...))
	maps.Copy(cases, rulesCases())
	return cases
}

// limits of the golden files that are not made for a job summary.
var caseLimits = map[string]int{"plan-large": 24 << 10, "apply-large": 8 << 10, "drift-section-large": 16 << 10}

// planMerged is what package apply says; test/render compares them.
const planMerged = "Plan the merged commit, review that plan, and apply it: the workflow examples/plan-merged.yml does this."

// applyCases are the applies of the golden files, by the file's name.
func applyCases() map[string]Apply {
	apply := func(status Status) Apply {
		a := Apply{Subject: subject(), Status: status}
		a.RunURL = "https://github.com/acme/infra/actions/runs/1234567999/attempts/1"
		a.Verification = "the planfile's digest, the configuration at the merged commit, and the Terraform version are those of the reviewed plan."
		return a
	}
	result := func(address, action string, s terraform.ResourceStatus, sec int) terraform.ResourceResult {
		return terraform.ResourceResult{Address: address, Action: action, Status: s, Elapsed: time.Duration(sec) * time.Second}
	}
	done := []terraform.ResourceResult{
		result("aws_eip.old", "delete", terraform.Applied, 2), result("module.db.aws_db_instance.main", "delete", terraform.Applied, 192),
		result("module.db.aws_db_instance.main", "create", terraform.Applied, 421), result("aws_instance.web", "update", terraform.Applied, 31),
		result(`module.vpc.aws_subnet.private["a|b"]`, "create", terraform.Applied, 0)}

	ok := apply(Succeeded)
	ok.Planned = changes.Counts{Create: 1, Update: 1, Delete: 1, Replace: 1, Import: 1}
	ok.Resources = done
	ok.Outputs = []terraform.Output{
		{Name: "vpc_id", Value: json.RawMessage(`"vpc-0123456789abcdef0"`)}, {Name: "subnets", Value: json.RawMessage(`["subnet-1","subnet-2"]`)},
		{Name: "db_password", Sensitive: true}, {Name: "count", Value: json.RawMessage(`3`)}}

	failed := apply(Failed)
	failed.Resources = append([]terraform.ResourceResult{result("aws_s3_bucket.logs", "create", terraform.Failed, 4), result("aws_lb.web", "create", terraform.Unfinished, 0)}, done...)
	failed.Resources = append(failed.Resources, result("aws_eip.new", "create", terraform.NotStarted, 0))
	failed.Diagnostics = []terraform.Diagnostic{{Severity: "error", Summary: "creating S3 Bucket (acme-logs): BucketAlreadyExists", Detail: "operation error S3: CreateBucket, https response error StatusCode: 409, RequestID: 6SE7, BucketAlreadyExists", Address: "aws_s3_bucket.logs", File: "logs.tf", Line: 1, Snippet: "resource \"aws_s3_bucket\" \"logs\" {"}}
	failed.Error = "apply network in acme-ue2-dev: terraform apply: exit status 1"
	failed.NextSteps = []string{"Fix what the error says, and open a pull request for it.", "This plan is not applied again: what it did stays, and the next plan shows what is missing."}

	refused := apply(Refused)
	refused.Error = "the merged configuration differs from the planned one [GITOPS-MOVED-CONFIGURATION]"
	refused.Verification = ""
	refused.Differs = []string{"changed: components/network/main.tf", "added: components/network/variables.tf", "changed: modules/vpc/main.tf"}
	refused.NextSteps = []string{"The base branch moved after the plan was made. " + planMerged + " To prevent this, require branches to be up to date before merging, or set verification: replan: then the apply plans again by itself, and goes on if nothing else would change."}

	again := apply(Refused)
	again.Error = "the plan was already applied by https://github.com/acme/infra/actions/runs/1234567777/attempts/1 [GITOPS-APPLIED]"
	again.NextSteps = []string{"There is nothing to do: a plan is applied once. For another change, plan again."}

	anew := apply(Refused)
	anew.Error = "vpc was applied after this plan was made, and a new plan would change something other than what was reviewed [GITOPS-DEPENDENCY-APPLIED]"
	anew.Differs = []string{"aws_eip.old: reviewed nothing, now delete", "aws_instance.web: update with other values"}
	anew.NextSteps = []string{"Review what the new plan would do. " + planMerged}
	anew.Now = planOf(
		resource(changes.Delete, "aws_eip.old", attr("public_ip", known("203.0.113.9"), null)),
		resource(changes.Update, "aws_instance.web", attr("subnet_id", known("subnet-1"), known("subnet-2"))))
	anew.Now.Outputs = []changes.Output{{Name: "subnet", Action: changes.Update, Old: known("subnet-1"), New: known("subnet-2")}}
	anew.Now.Counts.Outputs = 1

	state := apply(Failed)
	state.Resources = done
	state.Error = "apply network in acme-ue2-dev: terraform apply: exit status 1"
	state.Diagnostics = []terraform.Diagnostic{{Severity: "error", Summary: "Failed to save state", Detail: "Error saving state: HTTP error: 503"}}
	state.ErroredState = &ErroredState{StoredAt: "s3://acme-plans/errored-state/acme/infra/network/acme-ue2-dev/1234567999.1.tfstate",
		Commands: []string{"aws s3 cp s3://acme-plans/errored-state/acme/infra/network/acme-ue2-dev/1234567999.1.tfstate errored.tfstate", "terraform init", "terraform state push errored.tfstate", "rm errored.tfstate"}}

	large := apply(Succeeded)
	for i := range 500 {
		large.Resources = append(large.Resources, result(fmt.Sprintf("terraform_data.machine[%d]", i), "create", terraform.Applied, i%9))
	}
	all := map[string]Apply{"apply-succeeded": ok, "apply-failed": failed, "apply-refused": refused, "apply-refused-again": again, "apply-refused-anew": anew,
		"apply-errored-state": state, "apply-no-changes": apply(NoChanges), "apply-large": large}
	maps.Copy(all, ruledApplies(ok, refused))
	return all
}
