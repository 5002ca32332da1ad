package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	datasourceschema "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	resourceschema "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// built is the provider example.com/test/built.
type built struct{}

func (built) Metadata(_ context.Context, _ provider.MetadataRequest, r *provider.MetadataResponse) {
	r.TypeName = "built"
}
func (built) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse)          {}
func (built) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {}

func (built) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{func() datasource.DataSource { return archive{} }}
}

func (built) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return upload{} }, func() resource.Resource { return anything{} }}
}

// archive is data "built_archive".
type archive struct{}

type archiveModel struct {
	Content    types.String `tfsdk:"content"`
	OutputPath types.String `tfsdk:"output_path"`
	Hash       types.String `tfsdk:"hash"`
}

func (archive) Metadata(_ context.Context, _ datasource.MetadataRequest, r *datasource.MetadataResponse) {
	r.TypeName = "built_archive"
}

func (archive) Schema(_ context.Context, _ datasource.SchemaRequest, r *datasource.SchemaResponse) {
	r.Schema = datasourceschema.Schema{Attributes: map[string]datasourceschema.Attribute{
		"content":     datasourceschema.StringAttribute{Required: true},
		"output_path": datasourceschema.StringAttribute{Required: true},
		"hash":        datasourceschema.StringAttribute{Computed: true},
	}}
}

func (archive) Read(ctx context.Context, request datasource.ReadRequest, r *datasource.ReadResponse) {
	var model archiveModel
	r.Diagnostics.Append(request.Config.Get(ctx, &model)...)
	if r.Diagnostics.HasError() {
		return
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	entry, err := z.Create("main.py")
	if err == nil {
		_, err = entry.Write([]byte(model.Content.ValueString()))
	}
	if err == nil {
		err = z.Close()
	}
	path := model.OutputPath.ValueString()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755) //nolint:gosec // as that provider does
	}
	if err == nil {
		err = os.WriteFile(path, b.Bytes(), 0o644) //nolint:gosec // the same
	}
	if err != nil {
		r.Diagnostics.AddError("write the archive", err.Error())
		return
	}
	model.Hash = types.StringValue(hash(b.Bytes()))
	r.Diagnostics.Append(r.State.Set(ctx, model)...)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// upload is resource "built_upload".
type upload struct{}

type uploadModel struct {
	Filename types.String `tfsdk:"filename"`
	Hash     types.String `tfsdk:"hash"`
	Uploaded types.String `tfsdk:"uploaded"`
}

func (upload) Metadata(_ context.Context, _ resource.MetadataRequest, r *resource.MetadataResponse) {
	r.TypeName = "built_upload"
}

func (upload) Schema(_ context.Context, _ resource.SchemaRequest, r *resource.SchemaResponse) {
	r.Schema = resourceschema.Schema{Attributes: map[string]resourceschema.Attribute{
		"filename": resourceschema.StringAttribute{Required: true},
		"hash":     resourceschema.StringAttribute{Optional: true},
		"uploaded": resourceschema.StringAttribute{Computed: true}, // the hash of what was uploaded
	}}
}

func (u upload) Create(ctx context.Context, request resource.CreateRequest, r *resource.CreateResponse) {
	var model uploadModel
	r.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	r.Diagnostics.Append(model.upload()...)
	if !r.Diagnostics.HasError() {
		r.Diagnostics.Append(r.State.Set(ctx, model)...)
	}
}

func (u upload) Update(ctx context.Context, request resource.UpdateRequest, r *resource.UpdateResponse) {
	var model uploadModel
	r.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	r.Diagnostics.Append(model.upload()...)
	if !r.Diagnostics.HasError() {
		r.Diagnostics.Append(r.State.Set(ctx, model)...)
	}
}

func (m *uploadModel) upload() (all diag.Diagnostics) {
	content, err := os.ReadFile(m.Filename.ValueString())
	if err != nil {
		all.AddError("read the file to upload", err.Error())
		return all
	}
	m.Uploaded = types.StringValue(hash(content))
	return all
}

func (upload) Read(context.Context, resource.ReadRequest, *resource.ReadResponse)       {}
func (upload) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
