"""Options that questions to the trail share."""

from typing import Annotated

import typer

PageSize = Annotated[int, typer.Option("--page-size", help="Items a page, 1 to 1000.")]
After = Annotated[str | None, typer.Option("--after", help="Cursor of the page before.")]
Purpose = Annotated[str | None, typer.Option(help="Only this purpose code.")]
Outcome = Annotated[str | None, typer.Option(help="Only permit, deny or open.")]
Since = Annotated[str | None, typer.Option(help="Only attempts from this instant on.")]
Until = Annotated[str | None, typer.Option(help="Only attempts before this instant.")]
FromBlock = Annotated[int | None, typer.Option(min=0, help="Only from this block on.")]
ToBlock = Annotated[int | None, typer.Option(min=0, help="Only up to this block.")]
