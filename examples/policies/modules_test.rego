package main_test

import data.main

called(call) := {"configuration": {"root_module": {"module_calls": {"outer": {"source": "./modules/outer", "module": {"module_calls": {"inner": call}}}}}}}

test_a_registry_module_without_a_version_is_denied if {
	main.deny_modules == {"module inner is not pinned: its source is terraform-aws-modules/vpc/aws"} with input as called({"source": "terraform-aws-modules/vpc/aws"})
}

test_a_range_of_versions_is_denied if {
	every version in ["~> 5.1", ">= 5.0.0", "5.1", "5.1.0, 5.2.0"] {
		count(main.deny_modules) == 1 with input as called({"source": "terraform-aws-modules/vpc/aws", "version_constraint": version})
	}
}

test_one_version_is_allowed if {
	every version in ["5.1.2", "= 5.1.2", "=5.1.2-rc1"] {
		count(main.deny_modules) == 0 with input as called({"source": "app.terraform.io/acme/vpc/aws", "version_constraint": version})
	}
}

test_a_branch_is_denied if {
	every source in [
		"git::https://example.com/vpc.git",
		"git::https://example.com/vpc.git?ref=main",
		"github.com/acme/vpc?ref=v5",
		"git@github.com:acme/vpc.git?ref=release-1.2.3",
		"https://example.com/vpc.zip",
		"s3::https://s3.amazonaws.com/acme/vpc.zip",
	] {
		count(main.deny_modules) == 1 with input as called({"source": source})
	}
}

test_a_tag_or_a_commit_is_allowed if {
	every source in [
		"git::https://example.com/vpc.git?ref=v1.2.3",
		"git::ssh://git@example.com/vpc.git//modules/a?depth=1&ref=51d462976d84fdea54b47d80dcabbf680badcdb8",
		"github.com/acme/vpc?ref=1.2.3",
	] {
		count(main.deny_modules) == 0 with input as called({"source": source})
	}
}

test_a_local_module_is_allowed if {
	count(main.deny_modules) == 0 with input as called({"source": "../vpc"})
}
