"""From ``template.yaml`` to Terraform's JSON configuration."""
