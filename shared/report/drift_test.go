package report

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// driftOf is a drift report of what a plan's summary is made from.
func driftOf(p Plan, rng *rand.Rand) Drift {
	return Drift{Subject: p.Subject, Drifted: rng.IntN(4) > 0, Changes: p.Changes, RefreshOnly: rng.IntN(3) == 0, Diagnostics: p.Diagnostics, Error: p.Error, Next: p.ApplyHow}
}

// driftCases are the drift reports of the golden files, by the file's name:
// job summaries, and where they have no component, sections of issues.
func driftCases() map[string]Drift {
	instance := resource(changes.Update, "aws_instance.web", attr("instance_type", known("t3.2xlarge"), known("t3.large")),
		attr("monitoring", raw("false"), raw("true")), attr(`tags["Owner"]`, absent, known("platform")), attr(`tags["by hand"]`, known("yes | no"), absent),
		attr("description", known("The web server of the acme development environment in Ohio, kept small"), known("The web server of the acme development environment in Ohio, made larger for the load test")),
		attr("user_data", known(strings.Replace(script, "echo done\n", "echo oops\n", 1)), known(script)),
		attr("password", sensitive, sensitive), attr("ttl", null, raw("300")), attr("arn", known("arn:aws:ec2:1"), unknown))
	bucket := resource(changes.Update, "aws_s3_bucket_policy.logs", attr("policy", known(policyNew), known(policyOld)))
	gone := resource(changes.Create, "aws_route53_record.app", attr("name", absent, known("app.example.com")), attr("id", absent, unknown), attr("ttl", absent, raw("300")))
	extra := resource(changes.Delete, "aws_eip.old", attr("public_ip", known("203.0.113.9"), null))
	extra.Reason = "delete_because_no_resource_config"
	replaced := resource(changes.Replace, "aws_db_instance.main", forces("engine_version", known("14.9"), known("16.3")), attr("id", known("main"), unknown))
	replaced.Reason, replaced.ReplacePaths = "replace_because_cannot_update", []string{"engine_version"}
	outside := func(c *changes.Plan, rs ...changes.Resource) *changes.Plan {
		c.Drift, c.Counts.Drift = rs, len(rs)
		return c
	}
	changedOutside := resource(changes.Update, "aws_instance.web", attr("instance_type", known("t3.large"), known("t3.2xlarge")), attr("public_ip", known("203.0.113.7"), known("203.0.113.8")))
	goneOutside := resource(changes.Delete, "aws_route53_record.app", attr("name", known("app.example.com"), null))

	section := Drift{Subject: Subject{RunURL: subject().RunURL}, Drifted: true}
	summary := Drift{Subject: subject(), Drifted: true, Next: "The drift-detection action keeps an issue about it."}
	with := func(d Drift, c *changes.Plan, edit ...func(*Drift)) Drift {
		d.Changes = c
		for _, e := range edit {
			e(&d)
		}
		return d
	}
	refreshOnly := func(d *Drift) { d.RefreshOnly = true }
	none := func(d *Drift) { d.Drifted = false }
	failed := []terraform.Diagnostic{{Severity: "error", Summary: "No valid credential sources found", Detail: "Please see the provider's documentation.\n\nError: no EC2 IMDS role found", Address: `provider["aws"]`, File: "main.tf", Line: 3, Snippet: `provider "aws" {`}}

	var nasty []changes.Resource
	for i, s := range markdowntest.Hostile {
		action := []changes.Action{changes.Update, changes.Replace, changes.Create, changes.Delete}[i%4]
		r := resource(action, `terraform_data.x["`+s+`"]`, attr("input["+s+"]", known(s), known("fixes #1 "+s)), attr(s, absent, raw(s)), attr("closes #2", known(s+"\n"+s), raw(s)))
		r.ReplacePaths, r.Type = []string{s}, s
		nasty = append(nasty, r)
	}
	var many []changes.Resource
	for i := range 400 {
		many = append(many, resource(changes.Update, fmt.Sprintf("terraform_data.machine[%d]", i), attr("input.name", known(fmt.Sprintf("by hand %d é", i)), known("機械")), attr("input.size", raw("1"), raw("2"))))
	}
	large := append([]changes.Resource{extra}, many...)
	wide := resource(changes.Update, "aws_wide.one")
	for i := range 60 {
		wide.Attributes = append(wide.Attributes, attr(fmt.Sprintf("setting_%02d", i), raw("1"), raw("2")))
	}
	wide.AttributesOmitted = 7

	outputOnly := planOf()
	outputOnly.Outputs, outputOnly.Counts.Outputs = []changes.Output{{Name: "url", Action: changes.Update, Old: known("a"), New: known("b")}}, 1

	return map[string]Drift{
		"drift-section":                     with(section, outside(planOf(instance), changedOutside)),
		"drift-section-many":                with(section, outside(planOf(extra, replaced, instance, bucket, gone), changedOutside, goneOutside)),
		"drift-section-refresh-only":        with(section, outside(planOf(), changedOutside, goneOutside), refreshOnly),
		"drift-section-refresh-only-output": with(section, outputOnly, refreshOnly),
		"drift-section-failed":              with(section, nil, func(d *Drift) { d.Diagnostics = failed }),
		"drift-section-large":               with(section, planOf(large...)),
		"drift-section-wide":                with(section, planOf(wide)),
		"drift-section-hostile":             with(section, outside(planOf(nasty...), nasty...)),
		"drift-summary":                     with(summary, planOf(replaced, gone)),
		"drift-summary-none":                with(summary, outside(planOf(), changedOutside), none),
		"drift-summary-refresh-only-none":   with(summary, planOf(), none, refreshOnly),
		"drift-summary-failed": with(summary, nil, none, func(d *Drift) {
			d.Digest, d.ExpiresAt = "", time.Time{}
			d.Error = "plan network in acme-ue2-dev: assume role arn:aws:iam::111122223333:role/planner: AccessDenied"
		}),
	}
}

// An issue's section tells what to do about in words of its own: nothing in it
// may hide, mention, refer, close or forge.
func TestIssueSectionOfHostileDriftFitsAnyLimit(t *testing.T) {
	t.Parallel()
	d := driftCases()["drift-section-hostile"]
	for _, limit := range []int{0, 80, 200, 700, 3000, 10_000, 50_000, markdown.SummaryLimit} {
		md := d.Section(limit)
		checkReport(t, md, limit, d.RunURL)
		if strings.Contains(md, d.RunURL) {
			t.Error("it names the run, which is another one each time")
		}
		if limit >= 3000 && !strings.Contains(md, "Infrastructure differs from Git") {
			t.Errorf("limit %d: %s", limit, md)
		}
	}
}

func TestDriftShowsNoSensitiveValue(t *testing.T) {
	t.Parallel()
	const document = `{"format_version":"1.2","resource_changes":[{"address":"t.a","mode":"managed","type":"t","change":{"actions":["update"],
		"before":{"pw":"hunter2hunter2","url":"db://hunter2hunter2@h","x":1},"after":{"pw":"correct horse","url":"db://correct horse@h","x":2},"before_sensitive":{"pw":true},"after_sensitive":{"pw":true}}}],
		"resource_drift":[{"address":"t.a","mode":"managed","type":"t","change":{"actions":["update"],
		"before":{"pw":"correct horse","x":2},"after":{"pw":"hunter2hunter2","x":1},"before_sensitive":{"pw":true}}}]}`
	c, err := changes.ReadDrift(strings.NewReader(document), changes.Limit{Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, refreshOnly := range []bool{false, true} {
		d := Drift{Drifted: true, Changes: c, RefreshOnly: refreshOnly}
		md := d.Section(50_000)
		markdowntest.Check(t, md)
		if strings.Contains(md, "hunter2") || strings.Contains(md, "correct") || !strings.Contains(md, "(sensitive)") {
			t.Error(md)
		}
	}
}

func TestDriftNamesBothSidesOfEachAttribute(t *testing.T) {
	t.Parallel()
	md := driftCases()["drift-section"].Section(50_000)
	rows := markdowntest.Check(t, md).Rows
	for _, want := range [][]string{
		{"instance_type", `"t3.large"`, `"t3.2xlarge"`},
		{`tags["Owner"]`, `"platform"`, "(missing)"},
		{`tags["by hand"]`, "(missing)", `"yes | no"`},
		{"ttl", "300", "(null)"},
	} {
		found := false
		for _, row := range rows {
			found = found || strings.Join(row, "\x00") == strings.Join(want, "\x00")
		}
		if !found {
			t.Errorf("no row %q in %q", want, rows)
		}
	}
	rows = markdowntest.Check(t, driftCases()["drift-section-refresh-only"].Section(50_000)).Rows
	if want := []string{"instance_type", `"t3.large"`, `"t3.2xlarge"`}; len(rows) == 0 || strings.Join(rows[0], "\x00") != strings.Join(want, "\x00") {
		t.Errorf("rows %q, want %q first", rows, want)
	}
}
