variable "stage" { type = string }
variable "tenant" { type = string }
variable "environment" { type = string }

resource "terraform_data" "vendored" {
  input = var.stage
}
