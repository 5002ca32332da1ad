output "oidc_provider_arn" {
  description = "ARN of the identity provider that the roles trust."
  value       = var.create ? local.provider_arn : null
}

output "plan_role_arn" {
  description = "ARN of the role that Terraform plans with: `role.plan` in `gitops.yaml`."
  value       = lookup(local.role_arns, "plan", null)
}

output "plan_storage_role_arn" {
  description = "ARN of the role that adds planfiles and plan records: `artifact-storage.role.plan` in `gitops.yaml`."
  value       = lookup(local.role_arns, "plan_storage", null)
}

output "apply_role_arn" {
  description = "ARN of the role that Terraform applies with: `role.apply` in `gitops.yaml`."
  value       = lookup(local.role_arns, "apply", null)
}

output "apply_storage_role_arn" {
  description = "ARN of the role that reads plans and writes claims: `artifact-storage.role.apply` in `gitops.yaml`."
  value       = lookup(local.role_arns, "apply_storage", null)
}

output "drift_storage_role_arn" {
  description = "ARN of the role that adds drift plans and their results, and writes links to issues: `artifact-storage.role.drift` in `gitops.yaml`."
  value       = lookup(local.role_arns, "drift_storage", null)
}

output "subjects" {
  description = "Subjects of the tokens that may plan, apply and detect drift, to compare with the subject that a refused run prints."
  value       = var.create ? { for what in ["plan", "apply", "drift"] : what => distinct(flatten(local.repositories[*][what])) } : null
}
