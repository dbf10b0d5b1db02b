"""The one project and the one account that there are (IAM API, Project Management, Account Management)."""

from localcloud.iam import schemas
from localcloud.region import Region


def projects(region: Region, name: str | None, url: str) -> schemas.Projects:
    """The project, unless another name is asked for."""
    found = [
        schemas.Project(
            id=region.project_id,
            name=region.id,
            description="",
            domain_id=region.domain_id,
            parent_id=region.domain_id,
            enabled=True,
            is_domain=False,
            links=schemas.Links(self=f"{url}/v3/projects/{region.project_id}"),
        )
    ]
    return schemas.Projects(
        projects=[project for project in found if name in (None, project.name)],
        links=schemas.Links(self=f"{url}/v3/projects"),
    )


def domains(region: Region, url: str) -> schemas.Domains:
    """The account of the caller."""
    account = schemas.Account(
        id=region.domain_id,
        name=region.domain_name,
        enabled=True,
        description="",
        links=schemas.Links(self=f"{url}/v3/domains/{region.domain_id}"),
    )
    return schemas.Domains(domains=[account], links=schemas.Links(self=f"{url}/v3/auth/domains"))
