namespace Supervisor.Config.Toml;

/// <summary>How a table was defined, which decides what may still be added to it (TOML 1.0, "Table" and "Inline Table").</summary>
internal enum TableOrigin
{
    /// <summary>By a longer header, <c>[a.b]</c> for <c>a</c>: its own header may follow.</summary>
    Implied,

    /// <summary>By its header: tables below it may follow, but no keys.</summary>
    Header,

    /// <summary>By a dotted key: dotted keys in the same section may add to it.</summary>
    Dotted,

    /// <summary>In braces: complete.</summary>
    Inline,
}
