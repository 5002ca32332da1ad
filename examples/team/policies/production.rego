# In production, nothing that holds data is destroyed, unless the team of the databases has approved it.
package main

require_approval contains {"team": "acme/dba", "reason": sprintf("destroys %s", [r.address])} if {
	data.gitops.target.stack == "prod"
	some r in input.resource_changes
	r.type in {"aws_db_instance", "aws_dynamodb_table", "aws_s3_bucket"}
	"delete" in r.change.actions
}

# More than ten deletions are a mistake.
deny contains msg if {
	n := data.gitops.counts["delete"] + data.gitops.counts.replace
	n > 10
	msg := sprintf("%d resources would be destroyed or replaced: at most 10 may be", [n])
}
