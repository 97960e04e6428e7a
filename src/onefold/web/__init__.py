"""Pages, API and the two processes that serve them."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.web.page_list import page_paths as page_paths
    from onefold.web.processes import serve as serve

__getattr__ = door(__name__, {"page_paths": "page_list", "serve": "processes"})
