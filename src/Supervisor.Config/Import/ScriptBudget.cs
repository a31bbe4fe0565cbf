namespace Supervisor.Config.Import;

/// <summary>Bounds the work and the memory of a script. Going beyond it is an error that names the line.</summary>
/// <param name="file">The script.</param>
/// <param name="remedy">What the user can do instead.</param>
internal sealed class ScriptBudget(string file, string remedy)
{
    /// <summary>The most expressions, elements and members that a script can make, together.</summary>
    public const int MaxSteps = 200_000;

    /// <summary>The longest text, in characters.</summary>
    public const int MaxText = 1 << 20;

    private const int CharactersOfStep = 64;

    private long _steps;

    /// <summary>Spends steps.</summary>
    public void Spend(long steps, int line)
    {
        _steps += steps;
        if (_steps > MaxSteps)
        {
            throw new ImportException(file, line, "it calculates for too long", remedy);
        }
    }

    /// <summary>Spends what a new value needs, and returns it.</summary>
    public object? Made(object? value, int line)
    {
        if (value is string { Length: > MaxText })
        {
            throw new ImportException(file, line, $"it makes a text of more than {MaxText >> 20} MiB", remedy);
        }

        Spend(Size(value), line);
        return value;
    }

    /// <summary>Spends what a function can need for each of its arguments.</summary>
    public void Given(IReadOnlyList<DataNode> arguments, int line)
    {
        foreach (var argument in arguments)
        {
            Spend(Size(argument.Value) + (argument.Items?.Sum(item => Size(item.Value as string)) ?? 0), line);
        }
    }

    /// <summary>The text as it is in the file, unless no program could be given it.</summary>
    public string Literal(string text, int line) => !text.Contains('\0')
        ? text
        : throw new ImportException(file, line, "it has a NUL character in a text: no program can be given that");

    private static long Size(object? value) => value switch
    {
        string text => text.Length / CharactersOfStep,
        IReadOnlyList<DataNode> items => items.Count,
        DataMap map => map.Count,
        _ => 0,
    };
}
