package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// anything is resource "built_anything": it has an attribute of each type, and keeps what it is given.
// If the folder $BUILT_DRIFT has NAME.json, that is how it reads the resource.
type anything struct{}

func (anything) Metadata(_ context.Context, _ resource.MetadataRequest, r *resource.MetadataResponse) {
	r.TypeName = "built_anything"
}

func (anything) Schema(_ context.Context, _ resource.SchemaRequest, r *resource.SchemaResponse) {
	text := schema.StringAttribute{Optional: true}
	nested := func(inner map[string]schema.Block) schema.NestedBlockObject {
		return schema.NestedBlockObject{Attributes: map[string]schema.Attribute{
			"text": text, "number": schema.Int64Attribute{Optional: true}, "list": schema.ListAttribute{Optional: true, ElementType: types.StringType},
		}, Blocks: inner}
	}
	r.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"name":   schema.StringAttribute{Required: true},
			"kind":   schema.StringAttribute{Optional: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()}},
			"string": text,
			"number": schema.Int64Attribute{Optional: true},
			"bool":   schema.BoolAttribute{Optional: true},
			"list":   schema.ListAttribute{Optional: true, ElementType: types.StringType},
			"set":    schema.SetAttribute{Optional: true, ElementType: types.StringType},
			"map":    schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"object": schema.SingleNestedAttribute{Optional: true, Attributes: map[string]schema.Attribute{
				"text": text, "map": schema.MapAttribute{Optional: true, ElementType: types.StringType},
			}},
			"objects": schema.ListNestedAttribute{Optional: true, NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"text": text, "set": schema.SetAttribute{Optional: true, ElementType: types.StringType},
			}}},
		},
		Blocks: map[string]schema.Block{
			"block_list": schema.ListNestedBlock{NestedObject: nested(nil)},
			"block_set":  schema.SetNestedBlock{NestedObject: nested(nil)},
			"deep":       schema.ListNestedBlock{NestedObject: nested(map[string]schema.Block{"inner": schema.ListNestedBlock{NestedObject: nested(nil)}})},
		},
	}
}

func (anything) Create(_ context.Context, request resource.CreateRequest, r *resource.CreateResponse) {
	r.State.Raw = request.Plan.Raw
}

func (anything) Update(_ context.Context, request resource.UpdateRequest, r *resource.UpdateResponse) {
	r.State.Raw = request.Plan.Raw
}

func (anything) Read(ctx context.Context, request resource.ReadRequest, r *resource.ReadResponse) {
	var values map[string]tftypes.Value
	var name string
	err := request.State.Raw.As(&values)
	if err == nil {
		err = values["name"].As(&name)
	}
	content, readErr := os.ReadFile(filepath.Join(os.Getenv("BUILT_DRIFT"), filepath.Base(name)+".json"))
	if errors.Is(readErr, fs.ErrNotExist) || name == "" {
		return
	}
	if err = errors.Join(err, readErr); err == nil {
		r.State.Raw, err = tftypes.ValueFromJSON(content, request.State.Schema.Type().TerraformType(ctx)) //nolint:staticcheck // for tests
	}
	if err != nil {
		r.Diagnostics.AddError("read "+name, err.Error())
	}
}

func (anything) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
