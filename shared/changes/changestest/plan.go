// Package changestest makes plans for tests and benchmarks.
package changestest

import (
	"bufio"
	"fmt"
	"io"
)

// WritePlan writes the plan JSON of a configuration with n resource changes, as
// `terraform show -json` prints it: compact, in its order of keys, with prior
// state, planned values and configuration, about 2.6 kB per change. Of ten
// changes, four create, two update, one replaces, one deletes and two are
// no-ops. The same n gives the same bytes.
func WritePlan(w io.Writer, n int) error {
	b := bufio.NewWriterSize(w, 1<<16)
	b.WriteString(`{"format_version":"1.2","terraform_version":"1.11.4","variables":{"region":{"value":"eu-west-1"}},"planned_values":{"outputs":{"count":{"sensitive":false,"type":"number","value":1}},"root_module":{"resources":[`)
	eachResource(n, func(i int, kind generated) bool { return kind != generatedDelete }, b, func(i int, kind generated) {
		writeStateResource(b, i, kind != generatedNoOp, kind == generatedCreate || kind == generatedReplace)
	})
	b.WriteString(`]}},"resource_changes":[`)
	eachResource(n, func(int, generated) bool { return true }, b, func(i int, kind generated) {
		writeChange(b, i, kind)
	})
	b.WriteString(`],"output_changes":{"count":{"actions":["update"],"before":1,"after":2,"after_unknown":false,"before_sensitive":false,"after_sensitive":false}},"prior_state":{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{"resources":[`)
	eachResource(n, func(i int, kind generated) bool { return kind != generatedCreate }, b, func(i int, kind generated) {
		writeStateResource(b, i, false, false)
	})
	b.WriteString(`]}}},"configuration":{"provider_config":{"aws":{"name":"aws","full_name":"registry.terraform.io/hashicorp/aws","expressions":{"region":{"references":["var.region"]}}}},"root_module":{"resources":[`)
	eachResource(n/20, func(int, generated) bool { return true }, b, func(i int, kind generated) {
		fmt.Fprintf(b, `{"address":"aws_instance.web_%d","mode":"managed","type":"aws_instance","name":"web_%d","provider_config_key":"aws","expressions":{"ami":{"constant_value":"ami-0abcdef1234567890"},"instance_type":{"references":["var.size"]},"tags":{"references":["local.tags","each.key"]},"user_data":{"constant_value":"#!/bin/sh\necho \"hello\"\n"}},"schema_version":1,"for_each_expression":{"references":["local.names"]}}`, i, i)
	})
	b.WriteString(`]}},"relevant_attributes":[{"resource":"aws_vpc.main","attribute":["id"]}],"checks":[{"address":{"kind":"check","name":"up","to_display":"check.up"},"status":"unknown","instances":[{"address":{"to_display":"check.up"},"status":"unknown"}]}],"timestamp":"2026-01-02T03:04:05Z","applyable":true,"complete":true,"errored":false}` + "\n")
	return b.Flush()
}

type generated int

const (
	generatedCreate generated = iota
	generatedUpdate
	generatedReplace
	generatedDelete
	generatedNoOp
)

func generatedKind(i int) generated {
	return [...]generated{
		generatedCreate, generatedUpdate, generatedNoOp, generatedCreate, generatedDelete,
		generatedCreate, generatedReplace, generatedNoOp, generatedUpdate, generatedCreate,
	}[i%10]
}

func eachResource(n int, wanted func(int, generated) bool, b *bufio.Writer, write func(int, generated)) {
	comma := false
	for i := range n {
		kind := generatedKind(i)
		if !wanted(i, kind) {
			continue
		}
		if comma {
			b.WriteByte(',')
		}
		comma = true
		write(i, kind)
	}
}

func writeStateResource(b *bufio.Writer, i int, after, unknown bool) {
	fmt.Fprintf(b, `{"address":"module.web[\"blue\"].aws_instance.web_%d[\"node-%d\"]","mode":"managed","type":"aws_instance","name":"web_%d","index":"node-%d","provider_name":"registry.terraform.io/hashicorp/aws","schema_version":1,"values":`, i/20, i, i/20, i)
	writeInstance(b, i, after, unknown)
	b.WriteString(`,"sensitive_values":`)
	writeSensitive(b)
	b.WriteByte('}')
}

func writeChange(b *bufio.Writer, i int, kind generated) {
	fmt.Fprintf(b, `{"address":"module.web[\"blue\"].aws_instance.web_%d[\"node-%d\"]","module_address":"module.web[\"blue\"]","mode":"managed","type":"aws_instance","name":"web_%d","index":"node-%d","provider_name":"registry.terraform.io/hashicorp/aws","change":{"actions":[%s],"before":`,
		i/20, i, i/20, i, [...]string{`"create"`, `"update"`, `"delete","create"`, `"delete"`, `"no-op"`}[kind])
	existed, exists := kind != generatedCreate, kind != generatedDelete
	unknown := kind == generatedCreate || kind == generatedReplace
	if existed {
		writeInstance(b, i, false, false)
	} else {
		b.WriteString("null")
	}
	b.WriteString(`,"after":`)
	if exists {
		writeInstance(b, i, kind != generatedNoOp, unknown)
	} else {
		b.WriteString("null")
	}
	b.WriteString(`,"after_unknown":`)
	switch {
	case !exists:
		b.WriteString("false")
	case unknown:
		b.WriteString(`{"arn":true,"id":true,"private_ip":true,"root_block_device":[{"volume_id":true}],"tags":{},"vpc_security_group_ids":[false]}`)
	default:
		b.WriteString("{}")
	}
	for _, side := range []struct {
		name string
		is   bool
	}{{"before", existed}, {"after", exists}} {
		fmt.Fprintf(b, `,"%s_sensitive":`, side.name)
		if side.is {
			writeSensitive(b)
		} else {
			b.WriteString("false")
		}
	}
	if kind == generatedReplace {
		b.WriteString(`,"replace_paths":[["ami"]]},"action_reason":"replace_because_cannot_update"}`)
	} else {
		b.WriteString("}}")
	}
}

// writeInstance writes the attributes of an aws_instance, fewer than it has.
func writeInstance(b *bufio.Writer, i int, after, unknown bool) {
	ami, size := "ami-0abcdef1234567890", "t3.large"
	if after {
		ami, size = "ami-0123456789abcdef0", "m5.xlarge"
	}
	fmt.Fprintf(b, `{"ami":"%s",`, ami)
	if !unknown {
		fmt.Fprintf(b, `"arn":"arn:aws:ec2:eu-west-1:123456789012:instance/i-%017x",`, i)
	}
	b.WriteString(`"cpu_core_count":2,"credit_specification":[],"ebs_optimized":true,"hibernation":null,`)
	if !unknown {
		fmt.Fprintf(b, `"id":"i-%017x",`, i)
	}
	fmt.Fprintf(b, `"instance_type":"%s","key_name":null,"password_data":"",`, size)
	if !unknown {
		fmt.Fprintf(b, `"private_ip":"10.%d.%d.%d",`, i>>16&255, i>>8&255, i&255)
	}
	b.WriteString(`"root_block_device":[{"encrypted":true,`)
	if !unknown {
		fmt.Fprintf(b, `"volume_id":"vol-%017x",`, i)
	}
	fmt.Fprintf(b, `"volume_size":100}],"tags":{"Name":"node-%d","Owner":"team \u003cweb\u003e","Team":"platform"},"timeouts":null,"vpc_security_group_ids":["sg-0a1b2c3d4e5f60718"]}`, i)
}

func writeSensitive(b *bufio.Writer) {
	b.WriteString(`{"password_data":true,"root_block_device":[{}],"tags":{},"vpc_security_group_ids":[false]}`)
}
