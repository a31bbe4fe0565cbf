using Spectre.Console;
using Supervisor.Control;
using Supervisor.Listenctl.Terminal;

namespace Supervisor.Listenctl.Reports;

/// <summary>A requested and an effective value: one value if they are equal, otherwise "4096 -> 511".</summary>
internal static class RequestedAndEffective
{
    /// <summary>As a cell in a style.</summary>
    public static StyledText Of(ScalarValue? requested, ScalarValue? effective, string arrow, Style? style = null) =>
        new(Text(requested, effective, arrow), style);

    /// <summary>As text.</summary>
    public static string Text(ScalarValue? requested, ScalarValue? effective, string arrow) => (requested, effective) switch
    {
        (null, null) => "",
        (null, { } got) => Value(got),
        ({ } asked, null) => Value(asked),
        ({ } asked, { } got) when asked == got => Value(got),
        ({ } asked, { } got) => $"{Value(asked)} {arrow} {Value(got)}",
    };

    private static string Value(ScalarValue value) => value.Text is "" ? "\"\"" : value.ToString();
}
