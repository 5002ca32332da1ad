# No security group lets the whole internet in, except to the ports of settings.yaml.
package main

deny_ingress contains msg if {
	some rule in ingress_rules
	some cidr in rule.cidrs
	is_open(cidr)
	not is_allowed(rule)
	msg := sprintf("%s lets %s in, to %s", [rule.address, cidr, port_text(rule)])
}

# What only the apply will know can't be checked.
warn_ingress contains msg if {
	some r in changed_groups
	walk(r.change.after_unknown, [path, true])
	path[0] != "egress"
	names_networks(path)
	msg := sprintf("%s: only the apply will know which networks it lets in", [r.address])
}

names_networks(path) if path == ["ingress"]

names_networks(path) if {
	some name in path
	name in {"cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"}
}

changed_groups := [r |
	some r in input.resource_changes
	r.change.after != null
	r.type in {"aws_security_group", "aws_default_security_group", "aws_security_group_rule", "aws_vpc_security_group_ingress_rule"}
	object.get(r.change.after, "type", "ingress") == "ingress"
]

ingress_rules contains object.union(ports(block), {"address": r.address, "cidrs": cidrs(block)}) if {
	some r in changed_groups
	r.type in {"aws_security_group", "aws_default_security_group"}
	some block in r.change.after.ingress
}

ingress_rules contains object.union(ports(r.change.after), {"address": r.address, "cidrs": cidrs(r.change.after)}) if {
	some r in changed_groups
	r.type in {"aws_security_group_rule", "aws_vpc_security_group_ingress_rule"}
}

# Attributes are null or absent if they are not set.
cidrs(rule) := {cidr |
	some name in ["cidr_blocks", "ipv6_cidr_blocks"]
	some cidr in rule[name]
	is_string(cidr) # null: not known yet
} | {rule[name] |
	some name in ["cidr_ipv4", "cidr_ipv6"]
	is_string(rule[name])
}

ports(rule) := {"from": object.get(rule, "from_port", null), "to": object.get(rule, "to_port", null), "protocol": object.get(rule, "protocol", object.get(rule, "ip_protocol", "-1"))}

# 0.0.0.0/0 can be written as two halves, and so on: a network this large is no one's own.
is_open(cidr) if {
	not contains(cidr, ":")
	to_number(split(cidr, "/")[1]) < 8
}

is_open(cidr) if {
	contains(cidr, ":")
	to_number(split(cidr, "/")[1]) < 16
}

is_allowed(rule) if {
	rule.protocol in {"tcp", "6"}
	rule.from == rule.to
	rule.from in data.settings.public_ports
}

port_text(rule) := "all ports" if rule.from == null

else := sprintf("port %d", [rule.from]) if rule.from == rule.to

else := sprintf("ports %d to %d", [rule.from, rule.to])
