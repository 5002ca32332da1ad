locals {
  settings = {
    artifact-storage = {
      region = module.bucket.region
      bucket = module.bucket.name
      table  = module.table.name
      role = {
        plan  = module.roles.plan_storage_role_arn
        apply = module.roles.apply_storage_role_arn
        drift = module.roles.drift_storage_role_arn
      }
    }
    role = {
      plan  = module.roles.plan_role_arn
      apply = module.roles.apply_role_arn
    }
    terraform-version = "1.11.4"
  }
  # Locks are objects beside the states: Terraform and OpenTofu 1.10 and newer.
  backend = {
    backend-config = [
      "bucket=${aws_s3_bucket.state.id}", "region=${aws_s3_bucket.state.region}", "use_lockfile=true",
      "key={stack}/{component}.tfstate",
    ]
  }
}

output "gitops_yaml" {
  description = "For a repository of plain Terraform or OpenTofu: paste it into `gitops.yaml`."
  value       = replace(yamlencode(merge(local.settings, local.backend)), "\"", "")
}

output "atmos_settings" {
  description = "For an Atmos repository: paste it into `atmos.yaml`."
  value       = replace(yamlencode({ integrations = { github = { gitops = local.settings } } }), "\"", "")
}

output "subjects" {
  description = "The subjects of GitHub's tokens that may plan, apply and detect drift."
  value       = module.roles.subjects
}
