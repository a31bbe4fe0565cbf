namespace Supervisor.Config.Settings;

/// <summary>The result of reading a string: a value, or what is wrong with it.</summary>
internal readonly record struct ParseResult<T>(T Value, ValueError? ValueError)
{
    public static implicit operator ParseResult<T>(T value) => new(value, null);

    public static implicit operator ParseResult<T>(ValueError fault) => new(default!, fault);
}
