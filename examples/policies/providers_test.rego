package main_test

import data.main

test_a_provisioner_is_denied if {
	script := {"address": "terraform_data.a", "provisioners": [{"type": "local-exec", "expressions": {"command": {"constant_value": "sh"}}}]}
	main.deny_provisioners == {"terraform_data.a has a provisioner: local-exec"} with input as {"configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [script]}}}}}}
}

test_no_provisioner_is_allowed if {
	count(main.deny_provisioners) == 0 with input as {"configuration": {"root_module": {"resources": [{"address": "aws_vpc.a"}]}}}
}

test_another_provider_is_denied if {
	main.deny_providers == {"the provider registry.terraform.io/acme/evil is not one that may be used"} with input as {
		"configuration": {"provider_config": {"evil": {"full_name": "registry.terraform.io/acme/evil"}}},
		"resource_changes": [{"provider_name": "registry.terraform.io/hashicorp/aws"}],
	}
}

test_a_provider_of_the_state_is_denied if {
	count(main.deny_providers) == 1 with input as {"configuration": {}, "resource_changes": [{"provider_name": "registry.terraform.io/acme/old"}]}
}

test_named_providers_are_allowed if {
	count(main.deny_providers) == 0 with input as {
		"configuration": {"provider_config": {"aws": {"full_name": "registry.terraform.io/hashicorp/aws"}}},
		"resource_changes": [{"provider_name": "terraform.io/builtin/terraform"}],
	}
}

test_without_settings_no_provider_is_allowed if {
	count(main.deny_providers) == 1 with input as {"configuration": {}, "resource_changes": [{"provider_name": "terraform.io/builtin/terraform"}]} with data.settings as {}
}
