package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/awsprovider"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// The benchmarks with the AWS provider, on moto. Each has the goals of its row in its output:
// goal-ratio for ratio, and goal-MB for peak-MB.

const providerVersion = "5.100.0"

// network is small and ordinary. Its resources are named after the variable name, so that each round
// can create new ones. (A queue is missing: its provider waits 25 s.)
const network = `
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "` + providerVersion + `"
    }
  }
}
provider "aws" {
  region = "us-east-1"
  default_tags { tags = { Team = "platform", Env = "dev" } }
}
variable "name" {}
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
  tags       = { Name = var.name }
}
resource "aws_subnet" "main" {
  for_each          = { a = 0, b = 1, c = 2 }
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, each.value)
  availability_zone = "us-east-1${each.key}"
}
resource "aws_security_group" "web" {
  name   = var.name
  vpc_id = aws_vpc.main.id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
}
resource "aws_iam_role" "app" {
  name               = var.name
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}
resource "aws_iam_role_policy" "app" {
  role   = aws_iam_role.app.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }] })
}
resource "aws_ssm_parameter" "size" {
  name  = "/${var.name}/size"
  type  = "String"
  value = "small"
}
output "vpc" { value = aws_vpc.main.id }
`

// BenchmarkAWSPlanNoChanges plans a target that is as Git says. Bare Terraform needs no `show`.
func BenchmarkAWSPlanNoChanges(b *testing.B) {
	compareAWS(b, 1.05, network, func(b *testing.B, f *fleet) (action, bare ran) {
		return f.planAgain(b), f.barePlan(b, false)
	})
}

// BenchmarkAWSPlanChanges plans a change of a tag and of a rule.
func BenchmarkAWSPlanChanges(b *testing.B) {
	changed := strings.NewReplacer(`"platform"`, `"network"`, "443", "8443").Replace(network)
	compareAWS(b, 1.02, changed, func(b *testing.B, f *fleet) (action, bare ran) {
		return f.planAgain(b), f.barePlan(b, true)
	})
}

// BenchmarkAWSApply creates everything.
func BenchmarkAWSApply(b *testing.B) {
	round := 0
	anew := func(b *testing.B, f *fleet) {
		f.clean(b)
		round++
		f.Environ = append(f.Environ, fmt.Sprintf("TF_VAR_name=apply-%d", round))
	}
	compareAWS(b, 1.05, network, func(b *testing.B, f *fleet) (action, bare ran) {
		anew(b, f)
		f.run(b, "plan", nil)
		f.removeData(b)
		action = f.run(b, "apply", nil)
		anew(b, f)
		f.barePlan(b, false)
		f.removeData(b)
		return action, f.bare(b, func(planfile string) [][]string { return [][]string{{"apply", "-input=false", planfile}} })
	})
}

// BenchmarkAWSPlanMany plans 20 targets without changes in one job, and bare Terraform plans one
// after another.
func BenchmarkAWSPlanMany(b *testing.B) {
	compareAWSMany(b, targets, 0.60, network, func(b *testing.B, f *fleet) (action, bare ran) {
		return f.planAgain(b), f.barePlan(b, false)
	})
}

func compareAWS(b *testing.B, goal float64, module string, round func(*testing.B, *fleet) (action, bare ran)) {
	b.Helper()
	compareAWSMany(b, 1, goal, module, round)
}

// compareAWSMany compares in five rounds, after network was applied for all n targets. The pull
// request makes module of it.
func compareAWSMany(b *testing.B, n int, goal float64, module string, round func(*testing.B, *fleet) (action, bare ran)) {
	b.Helper()
	cache, err := filepath.Abs("../.tools/aws-provider")
	must(b, err)
	mirror, moto := awsprovider.Unpacked(b, cache, providerVersion), fakeaws.Start(b)
	for b.Loop() {
		f := newFleet(b, build(b), n, module, inFolder)
		f.Environ = append(append(f.Environ, moto.Environ()...), "TF_VAR_name="+strings.ReplaceAll(b.Name(), "/", "-"))
		write(b, filepath.Join(f.Dir, "terraformrc"), fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror))
		f.apply(b, network)
		var all comparison
		for range 5 {
			all.add(round(b, f))
		}
		all.print(b)
		b.ReportMetric(goal, "goal-ratio")
		b.ReportMetric(30, "goal-MB")
	}
}

// apply applies module for the first target. All others get the same state: no plan changes it.
func (f *fleet) apply(b *testing.B, module string) {
	b.Helper()
	f.clean(b)
	first := f.module(0)
	before, err := os.ReadFile(first)
	must(b, err)
	write(b, first, "terraform {\n  backend \"local\" {}\n}\n"+module)
	all := f.targets
	f.targets = 1
	f.bare(b, func(string) [][]string { return [][]string{{"apply", "-input=false", "-auto-approve"}} })
	f.targets = all
	write(b, first, string(before))
	state, err := os.ReadFile(f.state(0))
	must(b, err)
	for i := range f.targets {
		write(b, f.state(i), string(state))
	}
}

func (f *fleet) planAgain(b *testing.B) ran {
	b.Helper()
	f.removeData(b)
	return f.run(b, "plan", map[string]string{"all": "true"})
}

func (f *fleet) barePlan(b *testing.B, show bool) ran {
	b.Helper()
	f.removeData(b)
	return f.bare(b, func(planfile string) [][]string {
		commands := [][]string{{"plan", "-input=false", "-out=" + planfile}}
		if show {
			commands = append(commands, []string{"show", "-json", planfile})
		}
		return commands
	})
}
