package main_test

import data.main

group(block) := {"resource_changes": [{"address": "aws_security_group.web", "type": "aws_security_group", "change": {"actions": ["create"], "after": {"ingress": [block]}, "after_unknown": {"ingress": [{"cidr_blocks": [false]}]}}}]}

rule(type, after) := {"resource_changes": [{"address": "aws_rule.a", "type": type, "change": {"actions": ["create"], "after": after, "after_unknown": {}}}]}

block(from, to, cidr) := {"from_port": from, "to_port": to, "protocol": "tcp", "cidr_blocks": [cidr], "ipv6_cidr_blocks": []}

test_ssh_from_everywhere_is_denied if {
	main.deny_ingress == {"aws_security_group.web lets 0.0.0.0/0 in, to port 22"} with input as group(block(22, 22, "0.0.0.0/0"))
}

test_ssh_from_our_network_is_allowed if {
	count(main.deny_ingress) == 0 with input as group(block(22, 22, "10.0.0.0/8"))
}

test_https_from_everywhere_is_allowed if {
	count(main.deny_ingress) == 0 with input as group(block(443, 443, "0.0.0.0/0"))
}

test_a_range_with_https_is_denied if {
	main.deny_ingress == {"aws_security_group.web lets 0.0.0.0/0 in, to ports 1 to 65535"} with input as group(block(1, 65535, "0.0.0.0/0"))
}

test_half_of_the_internet_is_denied if {
	count(main.deny_ingress) == 1 with input as group(block(22, 22, "128.0.0.0/1"))
}

test_all_protocols_are_denied if {
	count(main.deny_ingress) == 1 with input as group(object.union(block(443, 443, "0.0.0.0/0"), {"protocol": "-1"}))
}

test_ipv6_is_denied if {
	count(main.deny_ingress) == 1 with input as group(object.union(block(22, 22, "10.0.0.0/8"), {"ipv6_cidr_blocks": ["::/0"]}))
}

test_a_rule_is_denied if {
	after := {"type": "ingress", "from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": null}
	count(main.deny_ingress) == 1 with input as rule("aws_security_group_rule", after)
}

test_egress_is_allowed if {
	after := {"type": "egress", "from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}
	count(main.deny_ingress) == 0 with input as rule("aws_security_group_rule", after)
}

test_a_new_kind_of_rule_is_denied if {
	after := {"from_port": null, "to_port": null, "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0", "cidr_ipv6": null}
	main.deny_ingress == {"aws_rule.a lets 0.0.0.0/0 in, to all ports"} with input as rule("aws_vpc_security_group_ingress_rule", after)
}

test_unknown_networks_get_a_warning if {
	unknown := {"resource_changes": [{"address": "aws_rule.a", "type": "aws_security_group_rule", "change": {"actions": ["create"], "after": {"type": "ingress", "cidr_blocks": [null]}, "after_unknown": {"cidr_blocks": [true]}}}]}
	main.warn_ingress == {"aws_rule.a: only the apply will know which networks it lets in"} with input as unknown
}

test_an_unknown_network_in_a_group_gets_a_warning if {
	unknown := {"resource_changes": [{"address": "a.b", "type": "aws_security_group", "change": {"actions": ["create"], "after": {"ingress": [{"cidr_blocks": [null]}]}, "after_unknown": {"ingress": [{"cidr_blocks": [true]}]}}}]}
	count(main.warn_ingress) == 1 with input as unknown
	count(main.deny_ingress) == 0 with input as unknown
}

test_another_unknown_group_gets_no_warning if {
	unknown := {"resource_changes": [{"address": "a.b", "type": "aws_security_group", "change": {"actions": ["create"], "after": {"ingress": [{"cidr_blocks": []}]}, "after_unknown": {"id": true, "egress": [{"cidr_blocks": [true]}], "ingress": [{"cidr_blocks": [], "security_groups": [true]}]}}}]}
	count(main.warn_ingress) == 0 with input as unknown
}

test_a_destroyed_group_is_allowed if {
	count(main.deny_ingress) == 0 with input as {"resource_changes": [{"address": "a.b", "type": "aws_security_group", "change": {"actions": ["delete"], "after": null}}]}
}
