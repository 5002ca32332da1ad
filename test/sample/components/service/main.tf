terraform {
  required_version = ">= 1.6"
  backend "local" {}
}

variable "stack" {
  type        = string
  description = "The stack whose network the service runs in."
}

variable "image" {
  type        = string
  description = "Container image. Another image is another release: it is replaced."
}

variable "replicas" {
  type        = number
  description = "How many containers run."
}

variable "api_key" {
  type        = string
  description = "Key of the service's API."
  default     = "not-a-real-key"
  sensitive   = true
}

data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = "${path.module}/../../../state/${var.stack}/network.tfstate" }
}

resource "terraform_data" "release" {
  input = {
    image    = var.image
    replicas = var.replicas
    cidr     = data.terraform_remote_state.network.outputs.vpc.cidr
  }
  triggers_replace = [var.image]
}

resource "terraform_data" "credential" {
  input = var.api_key
}

output "release" {
  description = "What runs."
  value       = terraform_data.release.output
}

output "credential" {
  description = "Key of the service's API."
  value       = terraform_data.credential.output
  sensitive   = true
}
