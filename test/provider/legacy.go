package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

func legacy() *schema.Provider {
	return &schema.Provider{
		Schema:       map[string]*schema.Schema{"folder": {Type: schema.TypeString, Required: true}},
		ResourcesMap: map[string]*schema.Resource{"legacy_thing": thing()},
		ConfigureContextFunc: func(_ context.Context, d *schema.ResourceData) (any, diag.Diagnostics) {
			folder := d.Get("folder").(string)
			return folder, diag.FromErr(os.MkdirAll(folder, 0o750))
		},
	}
}

// attributes of a thing that are in its file, NAME.json in the provider's folder.
var attributes = []string{"text", "number", "flag", "list", "labels", "block", "rule", "secret"}

// thing is resource "legacy_thing". Its attribute fault says what goes wrong:
//
//	create   it can't be created
//	half     it is created, and then an error follows: it is tainted
//	update   it can't be updated
//	delete   it can't be deleted
//	cancel   it is created, and then somebody interrupts the action while it waits
func thing() *schema.Resource {
	optional := func(kind schema.ValueType) *schema.Schema { return &schema.Schema{Type: kind, Optional: true} }
	texts := func(kind schema.ValueType) *schema.Schema {
		return &schema.Schema{Type: kind, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}}
	}
	blocks := func(kind schema.ValueType, of map[string]*schema.Schema) *schema.Schema {
		return &schema.Schema{Type: kind, Optional: true, Elem: &schema.Resource{Schema: of}}
	}
	secret := optional(schema.TypeString)
	secret.Sensitive = true
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name":   {Type: schema.TypeString, Required: true, ForceNew: true},
			"fault":  optional(schema.TypeString),
			"text":   optional(schema.TypeString),
			"number": optional(schema.TypeInt),
			"flag":   optional(schema.TypeBool),
			"list":   texts(schema.TypeList),
			"labels": texts(schema.TypeMap),
			"secret": secret,
			"block": blocks(schema.TypeList, map[string]*schema.Schema{
				"text": optional(schema.TypeString), "number": optional(schema.TypeInt), "list": texts(schema.TypeList),
				"inner": blocks(schema.TypeList, map[string]*schema.Schema{"text": optional(schema.TypeString)}),
			}),
			"rule": blocks(schema.TypeSet, map[string]*schema.Schema{"port": optional(schema.TypeInt), "text": optional(schema.TypeString)}),
		},
		Identity: &schema.ResourceIdentity{SchemaFunc: func() map[string]*schema.Schema {
			return map[string]*schema.Schema{"name": {Type: schema.TypeString, RequiredForImport: true}}
		}},
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughWithIdentity("name")},
		CreateContext: create, ReadContext: read, UpdateContext: update, DeleteContext: remove,
	}
}

func create(ctx context.Context, d *schema.ResourceData, folder any) diag.Diagnostics {
	fault := d.Get("fault").(string)
	if fault == "create" {
		return diag.Errorf("the thing %s can't be created", d.Get("name"))
	}
	d.SetId(d.Get("name").(string))
	if err := write(d, folder); err != nil {
		return diag.FromErr(err)
	}
	switch fault {
	case "half":
		return diag.Errorf("the thing %s was created, and does not start", d.Id())
	case "cancel":
		if err := interrupt(); err != nil {
			return diag.FromErr(err)
		}
		<-ctx.Done()
		return diag.Errorf("the thing %s was created, and is not ready: %v", d.Id(), ctx.Err())
	}
	return read(ctx, d, folder)
}

func update(ctx context.Context, d *schema.ResourceData, folder any) diag.Diagnostics {
	if d.Get("fault") == "update" {
		d.Partial(true) // the state stays as it was
		return diag.Errorf("the thing %s can't be updated", d.Id())
	}
	if err := write(d, folder); err != nil {
		return diag.FromErr(err)
	}
	return read(ctx, d, folder)
}

func remove(_ context.Context, d *schema.ResourceData, folder any) diag.Diagnostics {
	if d.Get("fault") == "delete" {
		return diag.Errorf("the thing %s can't be deleted", d.Id())
	}
	return diag.FromErr(os.Remove(file(d, folder)))
}

func file(d *schema.ResourceData, folder any) string {
	return filepath.Join(folder.(string), d.Id()+".json")
}

func write(d *schema.ResourceData, folder any) error {
	object := map[string]any{}
	for _, name := range attributes {
		object[name] = d.Get(name)
		if set, ok := object[name].(*schema.Set); ok {
			object[name] = set.List()
		}
	}
	content, err := json.MarshalIndent(object, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file(d, folder), content, 0o600)
}

func read(_ context.Context, d *schema.ResourceData, folder any) diag.Diagnostics {
	content, err := os.ReadFile(file(d, folder))
	if errors.Is(err, fs.ErrNotExist) {
		d.SetId("")
		return nil
	}
	var object map[string]any
	if err == nil {
		err = json.Unmarshal(content, &object)
	}
	for _, name := range attributes {
		err = errors.Join(err, d.Set(name, object[name]))
	}
	identity, identityErr := d.Identity()
	if identityErr == nil {
		identityErr = identity.Set("name", d.Id())
	}
	return diag.FromErr(errors.Join(err, identityErr, d.Set("name", d.Id())))
}

// interrupt sends SIGINT to the action: it started Terraform, which started this process.
func interrupt() error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", os.Getppid()))
	if err != nil {
		return err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return err
	}
	return syscall.Kill(parent, syscall.SIGINT)
}
