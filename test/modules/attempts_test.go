package modules

import (
	"maps"
	"strings"
)

const (
	planStorage  = "acme-gitops-plan-storage"
	applyStorage = "acme-gitops-apply-storage"
	driftStorage = "acme-gitops-drift-storage"
	planRole     = "acme-gitops-plan"
	applyRole    = "acme-gitops-apply"

	// Partition keys and object keys, as shared/planstore writes them.
	ours   = "acme/infrastructure#network#dev"
	others = "acme/payments#network#dev"
	longer = "acme/infrastructure-live#network#dev" // a name that ours begins
)

// attempt is a request that must be refused, and why it would matter.
type attempt struct {
	why string
	request
}

// attempts are requests that a role must not be able to make. Each condition of the policies has one:
// see checkConditions.
func (a *account) attempts() []attempt {
	bucketARN := "arn:aws:s3:::" + a.bucket
	planfile := bucketARN + "/planfiles/acme/infrastructure/network/dev/" + strings.Repeat("a", 40) + "/" + strings.Repeat("b", 64) + ".tfplan"
	errored := bucketARN + "/errored-state/acme/infrastructure/network/dev/" + strings.Repeat("a", 40) + "/1.1/" + strings.Repeat("b", 64) + ".tfstate"
	builtFiles := strings.TrimSuffix(planfile, ".tfplan") + ".files.tar.gz"
	otherFile := strings.Replace(planfile, "/infrastructure/", "/payments/", 1)
	longerFile := strings.Replace(planfile, "/infrastructure/", "/infrastructure-live/", 1)
	key := a.policies.KeyARN
	states := "arn:aws:s3:::" + a.states
	const foreignKey = "arn:aws:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab"

	object := func(role, action, resource string, more map[string]any) request {
		r := request{Role: role, Action: "s3:" + action, Resource: resource, Context: tls()}
		maps.Copy(r.Context, more)
		return r
	}
	// upload is an upload as the actions make it, with these differences.
	upload := func(role, resource string, more map[string]any) request {
		r := object(role, "PutObject", resource, map[string]any{"s3:if-none-match": "*"})
		for name, value := range more {
			if value == nil {
				delete(r.Context, name)
			} else {
				r.Context[name] = value
			}
		}
		return r
	}
	alone := func(r request) request { r.Alone = true; return r }
	kms := func(role, action string, more map[string]any) request {
		r := a.useKey(role, "kms:"+action)
		for name, value := range more {
			if value == nil {
				delete(r.Context, name)
			} else {
				r.Context[name] = value
			}
		}
		return r
	}
	noKeys := func(role, action string) request {
		return request{Role: role, Action: "dynamodb:" + action, Resource: a.tableARN}
	}
	index := func(role, name, key string) request {
		r := a.item(role, "Query", key)
		r.Resource += "/index/" + name
		if key == "" {
			r.Context = nil
		}
		return r
	}
	take := func(role, subject string, more map[string]string) request {
		claims := map[string]string{"aud": "sts.amazonaws.com", "sub": subject, "job_workflow_ref": workflow, "ref": "refs/heads/main"}
		maps.Copy(claims, more)
		return a.assume(role, claims)
	}

	all := []attempt{
		// Planner: forge.
		{"the planner writes a claim, so that its plan counts as applied", a.item(planStorage, "PutItem", "apply#"+ours)},
		{"the planner writes an apply of another repository", a.item(planStorage, "PutItem", "apply#"+others)},
		{"the planner writes a drift issue, which remediation would follow", a.item(planStorage, "PutItem", "issue#"+ours)},
		{"the planner writes an item of no kind", a.item(planStorage, "PutItem", ours)},
		{"the planner writes a plan record of another repository", a.item(planStorage, "PutItem", "plan#"+others)},
		{"the planner writes a plan record of a repository whose name extends its own", a.item(planStorage, "PutItem", "plan#"+longer)},
		{"the planner writes a drift result, whose plan a label would apply", a.item(planStorage, "PutItem", "drift#"+ours)},
		{"the planner takes a lock of another repository", a.item(planStorage, "PutItem", "lock#"+others)},
		{"the planner writes its own record and a claim at once", a.item(planStorage, "PutItem", "plan#"+ours, "apply#"+ours)},
		{"the planner writes items whose keys AWS does not tell", noKeys(planStorage, "PutItem")},
		{"the planner finishes a claim", a.item(planStorage, "UpdateItem", "apply#"+ours)},
		{"the planner stores a planfile of another repository", upload(planStorage, otherFile, nil)},
		{"the planner stores a planfile of a repository whose name extends its own", upload(planStorage, longerFile, nil)},
		{"the planner stores an errored state, which someone would push back", upload(planStorage, errored, nil)},
		{"the planner stores an object that no lifecycle rule expires", upload(planStorage, bucketARN+"/acme/infrastructure/x", nil)},
		{"the planner stores a planfile in another bucket", alone(upload(planStorage, strings.Replace(planfile, a.bucket, "acme-other", 1), nil))},

		// Planner: change and delete.
		{"the planner changes a plan record", a.item(planStorage, "UpdateItem", "plan#"+ours)},
		{"the planner deletes a plan record", a.item(planStorage, "DeleteItem", "plan#"+ours)},
		{"the planner deletes a claim", a.item(planStorage, "DeleteItem", "apply#"+ours)},
		{"the planner writes many items at once, deletions among them", a.item(planStorage, "BatchWriteItem", "plan#"+ours)},
		{"the planner changes records in SQL", request{Role: planStorage, Action: "dynamodb:PartiQLUpdate", Resource: a.tableARN, Context: map[string]any{"dynamodb:LeadingKeys": []string{"plan#" + ours}}}},
		{"the planner deletes the table", request{Role: planStorage, Action: "dynamodb:DeleteTable", Resource: a.tableARN}},
		{"the planner sets another TTL attribute, so that records vanish", request{Role: planStorage, Action: "dynamodb:UpdateTimeToLive", Resource: a.tableARN}},
		{"the planner deletes a planfile", object(planStorage, "DeleteObject", planfile, nil)},
		{"the planner deletes a version of a planfile", object(planStorage, "DeleteObjectVersion", planfile, nil)},
		{"the planner has planfiles expire tomorrow", object(planStorage, "PutLifecycleConfiguration", bucketARN, nil)},
		{"the planner replaces a planfile", upload(planStorage, planfile, map[string]any{"s3:if-none-match": nil})},
		{"the planner replaces a planfile, and the bucket's policy is gone", alone(upload(planStorage, planfile, map[string]any{"s3:if-none-match": nil}))},
		{"the planner changes the bucket's policy", object(planStorage, "PutBucketPolicy", bucketARN, nil)},
		{"the planner stops versioning", object(planStorage, "PutBucketVersioning", bucketARN, nil)},

		// Planner: read.
		{"the planner replaces the built files of a plan", upload(planStorage, builtFiles, map[string]any{"s3:if-none-match": nil})},
		{"the planner deletes the built files of a plan", object(planStorage, "DeleteObject", builtFiles, nil)},
		{"the planner reads the built files of a plan", object(planStorage, "GetObject", builtFiles, nil)},
		{"drift detection reads the built files of a plan", object(driftStorage, "GetObject", builtFiles, nil)},
		{"the applier stores built files", upload(applyStorage, builtFiles, nil)},
		{"the applier reads built files of another repository", object(applyStorage, "GetObject", strings.Replace(builtFiles, "/infrastructure/", "/payments/", 1), nil)},
		{"Terraform, planning, reads built files", object(planRole, "GetObject", builtFiles, nil)},
		{"Terraform, planning, stores built files", upload(planRole, builtFiles, nil)},
		{"Terraform, applying, stores built files", upload(applyRole, builtFiles, nil)},
		{"the planner reads a planfile, and the secrets in it", object(planStorage, "GetObject", planfile, nil)},
		{"the planner reads a version of a planfile", object(planStorage, "GetObjectVersion", planfile, map[string]any{"s3:VersionId": "1"})},
		{"the planner reads an errored state", object(planStorage, "GetObject", errored, nil)},
		{"the planner lists the bucket", object(planStorage, "ListBucket", bucketARN, nil)},
		{"the planner lists old versions", object(planStorage, "ListBucketVersions", bucketARN, nil)},
		{"the planner decrypts what it got elsewhere", kms(planStorage, "Decrypt", nil)},
		{"the planner reads claims", a.item(planStorage, "Query", "apply#"+ours)},
		{"the planner reads records of another repository", a.item(planStorage, "Query", "plan#"+others)},
		{"the planner reads all records of a target", a.item(planStorage, "Query", "plan#"+ours)},
		{"the planner reads plans of another repository's pull request", index(planStorage, "by-pull-request", "acme/payments#41")},
		{"the planner reads plans of a pull request of a repository whose name extends its own", index(planStorage, "by-pull-request", "acme/infrastructure-live#41")},
		{"the planner reads plans of pull requests without telling the keys", index(planStorage, "by-pull-request", "")},
		{"the planner reads what a run did", index(planStorage, "by-run", "acme/infrastructure#1")},
		{"the planner reads a lock of another repository", a.item(planStorage, "BatchGetItem", "lock#"+ours, "lock#"+others)},
		{"the planner reads the last apply of another repository", a.item(planStorage, "BatchGetItem", "apply#"+others)},
		{"the planner reads locks without telling the keys", noKeys(planStorage, "BatchGetItem")},
		{"the planner reads a drift issue", a.item(planStorage, "BatchGetItem", "issue#"+ours)},
		{"the planner reads the whole table", noKeys(planStorage, "Scan")},

		// Planner: encryption.
		{"the planner stores a planfile under its own KMS key, in an account of its own", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": foreignKey})},
		{"the planner stores a planfile under another key, by its id alone", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption-aws-kms-key-id": foreignKey})},
		{"the planner stores a planfile without KMS", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption": "AES256"})},
		{"the planner stores a planfile without KMS, and names the key all the same", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption": "AES256", "s3:x-amz-server-side-encryption-aws-kms-key-id": key})},
		{"the planner stores a planfile under the key that AWS manages", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption": "aws:kms"})},
		{"the planner stores a planfile under a key that it keeps to itself", upload(planStorage, planfile, map[string]any{"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"})},
		{"the planner makes data keys without S3", kms(planStorage, "GenerateDataKey", map[string]any{"kms:ViaService": nil})},
		{"the planner makes data keys through another service", kms(planStorage, "GenerateDataKey", map[string]any{"kms:ViaService": "ebs.us-east-1.amazonaws.com"})},
		{"the planner makes data keys through another region's S3", kms(planStorage, "GenerateDataKey", map[string]any{"kms:ViaService": "s3.eu-west-1.amazonaws.com"})},
		{"the planner makes data keys for another bucket", kms(planStorage, "GenerateDataKey", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"})},
		{"the planner makes data keys without S3, under AWS's default key policy", alone(kms(planStorage, "GenerateDataKey", map[string]any{"kms:ViaService": nil}))},
		{"the planner makes data keys for another bucket, under AWS's default key policy", alone(kms(planStorage, "GenerateDataKey", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"}))},
		{"an administrator decrypts planfiles without S3", kms(administrator, "Decrypt", map[string]any{"kms:ViaService": nil})},
		{"an administrator decrypts another bucket's objects with this bucket's key", kms(administrator, "Decrypt", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"})},
		{"an administrator grants the key to someone", request{Role: administrator, Action: "kms:CreateGrant", Resource: key}},
		{"an administrator replaces a planfile", upload(administrator, planfile, map[string]any{"s3:if-none-match": nil})},
		{"the planner schedules the key's deletion", request{Role: planStorage, Action: "kms:ScheduleKeyDeletion", Resource: key}},

		// Plain HTTP and old TLS.
		{"a planfile is stored over plain HTTP", upload(planStorage, planfile, map[string]any{"aws:SecureTransport": "false", "s3:TlsVersion": nil})},
		{"a planfile is stored over TLS 1.1", upload(planStorage, planfile, map[string]any{"s3:TlsVersion": "1.1"})},
		{"a planfile is read over plain HTTP", object(applyStorage, "GetObject", planfile, map[string]any{"aws:SecureTransport": "false"})},
		{"a planfile is read over TLS 1.0", object(applyStorage, "GetObject", planfile, map[string]any{"s3:TlsVersion": "1.0"})},

		// Applier: forge.
		{"the applier stores a planfile", upload(applyStorage, planfile, nil)},
		{"the applier writes a plan record", a.item(applyStorage, "PutItem", "plan#"+ours)},
		{"the applier changes a plan record", a.item(applyStorage, "UpdateItem", "plan#"+ours)},
		{"the applier deletes a plan record", a.item(applyStorage, "DeleteItem", "plan#"+ours)},
		{"the applier deletes a claim, to apply a plan twice", a.item(applyStorage, "DeleteItem", "apply#"+ours)},
		{"the applier claims a plan of another repository", a.item(applyStorage, "PutItem", "apply#"+others)},
		{"the applier claims a plan of a repository whose name extends its own", a.item(applyStorage, "PutItem", "apply#"+longer)},
		{"the applier finishes a claim of another repository", a.item(applyStorage, "UpdateItem", "apply#"+others)},
		{"the applier finds out whether another repository has a claim", a.item(applyStorage, "ConditionCheckItem", "apply#"+others)},
		{"the applier writes items whose keys AWS does not tell", noKeys(applyStorage, "PutItem")},
		{"the applier replaces an errored state", upload(applyStorage, errored, map[string]any{"s3:if-none-match": nil})},
		{"the applier replaces an errored state, and the bucket's policy is gone", alone(upload(applyStorage, errored, map[string]any{"s3:if-none-match": nil}))},
		{"the applier stores an errored state of another repository", upload(applyStorage, strings.Replace(errored, "/infrastructure/", "/payments/", 1), nil)},
		{"the applier deletes a planfile", object(applyStorage, "DeleteObject", planfile, nil)},
		{"the applier deletes a version of a planfile", object(applyStorage, "DeleteObjectVersion", planfile, nil)},
		{"the applier takes a lock", a.item(applyStorage, "PutItem", "lock#"+ours)},
		{"the applier changes a lock", a.item(applyStorage, "UpdateItem", "lock#"+ours)},

		// Applier: read.
		{"the applier reads a planfile of another repository", object(applyStorage, "GetObject", otherFile, nil)},
		{"the applier reads a version of a planfile of another repository", object(applyStorage, "GetObjectVersion", otherFile, map[string]any{"s3:VersionId": "1"})},
		{"the applier reads a planfile of a repository whose name extends its own", object(applyStorage, "GetObject", longerFile, nil)},
		{"the applier reads an errored state", object(applyStorage, "GetObject", errored, nil)},
		{"the applier lists the bucket", object(applyStorage, "ListBucket", bucketARN, nil)},
		{"the applier reads plan records of another repository", a.item(applyStorage, "Query", "plan#"+others)},
		{"the applier reads claims of another repository", a.item(applyStorage, "BatchGetItem", "apply#"+ours, "apply#"+others)},
		{"the applier reads claims of its own and a lock of another repository", a.item(applyStorage, "BatchGetItem", "apply#"+ours, "lock#"+others)},
		{"the applier reads a plan record by its key, with claims", a.item(applyStorage, "BatchGetItem", "apply#"+ours, "plan#"+ours)},
		{"the applier reads plans of another repository's pull request", index(applyStorage, "by-pull-request", "acme/payments#41")},
		{"the applier reads plans of a pull request of a repository whose name extends its own", index(applyStorage, "by-pull-request", "acme/infrastructure-live#41")},
		{"the applier reads plans of pull requests without telling the keys", index(applyStorage, "by-pull-request", "")},
		{"the applier reads what a run did", index(applyStorage, "by-run", "acme/infrastructure#1")},
		{"the applier queries without telling the keys", noKeys(applyStorage, "Query")},
		{"the applier reads the whole table", noKeys(applyStorage, "Scan")},
		{"the applier decrypts without S3", kms(applyStorage, "Decrypt", map[string]any{"kms:ViaService": nil})},
		{"the applier decrypts another bucket's objects", kms(applyStorage, "Decrypt", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"})},
		{"the applier decrypts without S3, under AWS's default key policy", alone(kms(applyStorage, "Decrypt", map[string]any{"kms:ViaService": nil}))},
		{"the applier decrypts another bucket's objects, under AWS's default key policy", alone(kms(applyStorage, "Decrypt", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"}))},
		{"the applier makes data keys for another bucket", kms(applyStorage, "GenerateDataKey", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"})},

		{"the applier links an issue of another repository", a.item(applyStorage, "PutItem", "issue#"+others)},
		{"the applier reads items whose keys AWS does not tell", noKeys(applyStorage, "BatchGetItem")},

		// Drift detection.
		{"drift detection writes a plan record of another repository", a.item(driftStorage, "PutItem", "plan#"+others)},
		{"drift detection writes a drift result of a repository whose name extends its own", a.item(driftStorage, "PutItem", "drift#"+longer)},
		{"drift detection takes a lock", a.item(driftStorage, "PutItem", "lock#"+ours)},
		{"drift detection replaces a planfile, and the bucket's policy is gone", alone(upload(driftStorage, planfile, map[string]any{"s3:if-none-match": nil}))},
		{"drift detection stores a planfile of another repository", upload(driftStorage, otherFile, nil)},
		{"drift detection makes data keys without S3, under AWS's default key policy", alone(kms(driftStorage, "GenerateDataKey", map[string]any{"kms:ViaService": nil}))},
		{"drift detection makes data keys for another bucket, under AWS's default key policy", alone(kms(driftStorage, "GenerateDataKey", map[string]any{"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::acme-other"}))},
		{"drift detection claims a plan", a.item(driftStorage, "PutItem", "apply#"+ours)},
		{"drift detection links an issue of another repository", a.item(driftStorage, "PutItem", "issue#"+others)},
		{"drift detection links an issue without telling the keys", noKeys(driftStorage, "PutItem")},
		{"drift detection reads another repository's runs", index(driftStorage, "by-run", "acme/payments#1")},
		{"drift detection reads runs without telling the keys", index(driftStorage, "by-run", "")},
		{"drift detection reads plans of another repository's pull request", index(driftStorage, "by-pull-request", "acme/payments#41")},
		{"drift detection reads plan records of another repository", a.item(driftStorage, "Query", "plan#"+others)},
		{"drift detection reads plan records without telling the keys", noKeys(driftStorage, "Query")},
		{"drift detection reads all claims of a target", a.item(driftStorage, "Query", "apply#"+ours)},
		{"drift detection reads a lock of another repository", a.item(driftStorage, "BatchGetItem", "lock#"+others)},
		{"drift detection reads items whose keys AWS does not tell", noKeys(driftStorage, "BatchGetItem")},
		{"drift detection decrypts with the bucket's key", kms(driftStorage, "Decrypt", nil)},
		{"drift detection reads a planfile", object(driftStorage, "GetObject", planfile, nil)},
		{"drift detection deletes a link", a.item(driftStorage, "DeleteItem", "issue#"+ours)},
		{"an open pull request takes on the drift storage role", take(driftStorage, pullRequest, nil)},
		{"another repository takes on the drift storage role", take(driftStorage, "repo:acme/payments:ref:refs/heads/main", nil)},
		{"a token for another audience takes on the drift storage role", take(driftStorage, mainBranch, map[string]string{"aud": "https://github.com/acme"})},

		// Terraform's roles.
		{"Terraform, planning, reads a planfile", object(planRole, "GetObject", planfile, nil)},
		{"Terraform, planning, stores a planfile", upload(planRole, planfile, nil)},
		{"Terraform, planning, writes a plan record", a.item(planRole, "PutItem", "plan#"+ours)},
		{"Terraform, planning, writes a claim", a.item(planRole, "PutItem", "apply#"+ours)},
		{"Terraform, planning, decrypts with the bucket's key", kms(planRole, "Decrypt", nil)},
		{"Terraform, applying, reads a planfile", object(applyRole, "GetObject", planfile, nil)},
		{"Terraform, applying, writes a plan record", a.item(applyRole, "PutItem", "plan#"+ours)},
		{"Terraform, applying, writes a claim", a.item(applyRole, "PutItem", "apply#"+ours)},
		{"Terraform, applying, takes on the planner's role", request{Role: planRole, Action: "sts:AssumeRole", Resource: "arn:aws:iam::" + a.policies.Account + ":role/" + planStorage}},

		// States.
		{"Terraform, planning, reads the state of a stack that is not its own", object(planRole, "GetObject", states+"/other/component.tfstate", nil)},
		{"Terraform, planning, reads the state of a stack whose name extends its own", object(planRole, "GetObject", states+"/stack-2/component.tfstate", nil)},
		{"Terraform, planning, writes a state", upload(planRole, states+"/stack/component.tfstate", nil)},
		{"Terraform, planning, deletes a state", object(planRole, "DeleteObject", states+"/stack/component.tfstate", nil)},
		{"Terraform, planning, writes over a lock that is there", upload(planRole, states+"/stack/component.tfstate.tflock", map[string]any{"s3:if-none-match": nil})},
		{"Terraform, applying, writes over a lock that is there", upload(applyRole, states+"/stack/component.tfstate.tflock", map[string]any{"s3:if-none-match": nil})},
		{"Terraform, planning, takes the lock of another stack", upload(planRole, states+"/other/component.tfstate.tflock", nil)},
		{"Terraform, planning, deletes the lock of another stack", object(planRole, "DeleteObject", states+"/other/component.tfstate.tflock", nil)},
		{"Terraform, applying, writes the state of another stack", upload(applyRole, states+"/other/component.tfstate", nil)},
		{"Terraform, applying, deletes a state", object(applyRole, "DeleteObject", states+"/stack/component.tfstate", nil)},
		{"Terraform, planning with every permission, deletes what a state was before", object(allPowerful+planRole, "DeleteObjectVersion", states+"/stack/component.tfstate", map[string]any{"s3:VersionId": "1"})},
		{"Terraform, applying with every permission, stops keeping what states were before", object(allPowerful+applyRole, "PutBucketVersioning", states, nil)},
		{"a state is read over plain HTTP", object(planRole, "GetObject", states+"/stack/component.tfstate", map[string]any{"aws:SecureTransport": "false"})},

		// Who assumes a role.
		{"an open pull request takes on the apply role", take(applyRole, pullRequest, nil)},
		{"an open pull request takes on the apply storage role", take(applyStorage, pullRequest, nil)},
		{"a job without environment takes on the apply role", take(applyRole, mainBranch, nil)},
		{"a job without environment takes on the apply storage role", take(applyStorage, mainBranch, nil)},
		{"another branch takes on the apply role under the environment", take(applyRole, production, map[string]string{"ref": "refs/heads/feature"})},
		{"another branch takes on the apply storage role under the environment", take(applyStorage, production, map[string]string{"ref": "refs/heads/feature"})},
		{"an open pull request takes on the apply role under the environment", take(applyRole, production, map[string]string{"ref": "refs/pull/41/merge"})},
		{"another branch takes on the apply role", take(applyRole, "repo:acme/infrastructure:ref:refs/heads/feature", nil)},
		{"another branch takes on the apply storage role", take(applyStorage, "repo:acme/infrastructure:ref:refs/heads/feature", nil)},
		{"an environment whose name extends ours takes on the apply role", take(applyRole, production+"-2", nil)},
		{"a tag named main takes on the apply role", take(applyRole, "repo:acme/infrastructure:ref:refs/tags/main", nil)},
		{"another environment takes on the apply role", take(applyRole, "repo:acme/infrastructure:environment:staging", nil)},
		{"another environment takes on the apply storage role", take(applyStorage, "repo:acme/infrastructure:environment:staging", nil)},
		{"an environment takes on the plan storage role", take(planStorage, "repo:acme/infrastructure:environment:production", nil)},
		{"a tag takes on the plan role", take(planRole, "repo:acme/infrastructure:ref:refs/tags/v1", nil)},
		{"a tag takes on the plan storage role", take(planStorage, "repo:acme/infrastructure:ref:refs/tags/v1", nil)},
		{"a branch takes on the drift storage role", take(driftStorage, "repo:acme/infrastructure:ref:refs/heads/feature", map[string]string{"ref": "refs/heads/feature"})},
		{"a branch of another repository takes on the plan role", take(planRole, "repo:acme/payments:ref:refs/heads/main", nil)},
		{"a branch of a repository whose name extends ours takes on the plan role", take(planRole, "repo:acme/infrastructure-live:ref:refs/heads/main", nil)},
		{"another repository takes on the plan role", take(planRole, "repo:acme/payments:pull_request", nil)},
		{"another repository takes on the plan storage role", take(planStorage, "repo:acme/payments:pull_request", nil)},
		{"another repository takes on the apply role", take(applyRole, "repo:acme/payments:environment:production", nil)},
		{"another repository takes on the apply storage role", take(applyStorage, "repo:acme/payments:environment:production", nil)},
		{"a fork takes on the plan storage role", take(planStorage, "repo:stranger/infrastructure:pull_request", nil)},
		{"a fork takes on the apply role", take(applyRole, "repo:stranger/infrastructure:environment:production", nil)},
		{"a repository whose name extends ours takes on the plan role", take(planRole, "repo:acme/infrastructure-live:pull_request", nil)},
		{"a repository whose name extends ours takes on the apply role", take(applyRole, "repo:acme/infrastructure-live:environment:production", nil)},
		{"an owner whose name extends ours takes on the apply role", take(applyRole, "repo:acme-corp/infrastructure:environment:production", nil)},
		{"a repository of the same name, made after ours was deleted, with its ids in the subject", take(applyRole, "repo:acme@1/infrastructure@2:environment:production", nil)},
		{"a token for another audience takes on the plan role", take(planRole, pullRequest, map[string]string{"aud": "https://github.com/acme"})},
		{"a token for another audience takes on the plan storage role", take(planStorage, pullRequest, map[string]string{"aud": "https://github.com/acme"})},
		{"a token for another audience takes on the apply role", take(applyRole, production, map[string]string{"aud": "https://github.com/acme"})},
		{"a token for another audience takes on the apply storage role", take(applyStorage, production, map[string]string{"aud": "https://github.com/acme"})},
		{"a workflow that a pull request wrote takes on the plan storage role", take(planStorage, pullRequest, map[string]string{"job_workflow_ref": "acme/infrastructure/.github/workflows/mine.yml@refs/pull/41/merge"})},
		{"the reusable workflow, as a branch changed it, takes on the plan storage role", take(planStorage, pullRequest, map[string]string{"job_workflow_ref": "acme/workflows/.github/workflows/plan.yml@refs/heads/feature"})},
	}
	// Terraform's roles, with a policy that allows everything.
	for doing, role := range map[string]string{"planning": allPowerful + planRole, "applying": allPowerful + applyRole} {
		for what, r := range map[string]request{
			"reads a planfile":                        object(role, "GetObject", planfile, nil),
			"reads a version of a planfile":           object(role, "GetObjectVersion", planfile, map[string]any{"s3:VersionId": "1"}),
			"stores a planfile":                       upload(role, planfile, nil),
			"deletes a planfile":                      object(role, "DeleteObject", planfile, nil),
			"lists the planfiles":                     object(role, "ListBucket", bucketARN, nil),
			"opens the bucket to others":              object(role, "PutBucketPolicy", bucketARN, nil),
			"decrypts with the bucket's key":          kms(role, "Decrypt", nil),
			"writes a claim":                          a.item(role, "PutItem", "apply#"+ours),
			"writes a drift result":                   a.item(role, "PutItem", "drift#"+ours),
			"reads the whole table":                   noKeys(role, "Scan"),
			"reads the plans of a pull request":       index(role, "by-pull-request", "acme/infrastructure#41"),
			"changes records in SQL":                  {Role: role, Action: "dynamodb:PartiQLUpdate", Resource: a.tableARN, Context: map[string]any{"dynamodb:LeadingKeys": []string{"plan#" + ours}}},
			"copies the table":                        noKeys(role, "RestoreTableToPointInTime"),
			"copies the table from a backup":          {Role: role, Action: "dynamodb:RestoreTableFromBackup", Resource: a.tableARN + "/backup/01489602797149-73d8d5bc"},
			"deletes the table, and who applied what": noKeys(role, "DeleteTable"),
		} {
			all = append(all, attempt{"Terraform, " + doing + " with every permission, " + what, r})
		}
	}
	return all
}
