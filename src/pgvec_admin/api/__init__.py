"""An HTTP service over the functions in the database, for use without PostgREST: `pgvec-admin serve`.

Needs the extra `api`. It has no search logic of its own: psql can do all that it does.
"""

from pgvec_admin.api.app import create_app
from pgvec_admin.api.server import create_server
from pgvec_admin.api.settings import Access, Caching, Limits, Settings

__all__ = ["Access", "Caching", "Limits", "Settings", "create_app", "create_server"]
