"""A two-sided market whose truth is known: Pinmarket, its history, its visitors, its measure."""

from typing import TYPE_CHECKING

from onefold.model.doors import door

if TYPE_CHECKING:
    from onefold.simulate.files import DemoFiles as DemoFiles
    from onefold.simulate.files import write_demo_files as write_demo_files
    from onefold.simulate.live import live_traffic as live_traffic
    from onefold.simulate.load import Loaded as Loaded
    from onefold.simulate.load import load_history as load_history
    from onefold.simulate.market import Market as Market
    from onefold.simulate.market import make_market as make_market
    from onefold.simulate.pins import pinboard as pinboard
    from onefold.simulate.records import MarketPlan as MarketPlan
    from onefold.simulate.records import TruthReport as TruthReport
    from onefold.simulate.records import TruthRow as TruthRow
    from onefold.simulate.report import truth_report as truth_report

__getattr__ = door(
    __name__,
    {
        "DemoFiles": "files",
        "Loaded": "load",
        "Market": "market",
        "MarketPlan": "records",
        "TruthReport": "records",
        "TruthRow": "records",
        "live_traffic": "live",
        "load_history": "load",
        "make_market": "market",
        "pinboard": "pins",
        "truth_report": "report",
        "write_demo_files": "files",
    },
)
